// An epoch of a candidate pool whose products with the features a library computes: what stands between the two, and what
// comes after them.
//
// n_rows candidates are trained side by side; chosen[row] says which of the pool, −1 that there is none. `clock`, [2],
// takes how many epochs have begun, in the phase and in the chunk.

// The summed inputs of each candidate, [n_rows][width] for patterns from `start` on, become ∂(−S) by them. A block takes
// UNITS rows and a tile; into parts[number of the tile], [n_rows][outputs], go the activations' products with the
// residuals, and into totals, [n_rows][2], their sums and those of their squares.
extern "C" __global__ void correlate(
    const int* chosen, int n_rows, int n_outputs, int n, double sum_of_squares, int is_normalised, float* parts,
    double* totals, int* clock, int n_features, float* weights, float* memory, float* steps, float* covariances,
    float* moments, float* scores, float* best_weights, float* best_covariances, float* best_moments, float* marks,
    long long* waited, bool* active, const long long* fan_ins, const long long* activations,
    const float* __restrict__ residuals, int ld, float* sums, int width, int start, int first_part
) {
    SHARED_MEMORY(shared);
    const int tile = tile_size(), thread = threadIdx.x, n_blocks = n_rows / UNITS;
    const int first = blockIdx.x % n_blocks * UNITS, part = blockIdx.x / n_blocks, here = part * tile;
    float* values = reinterpret_cast<float*>(shared);            // [UNITS][tile]
    float* coefficients = values + UNITS * tile;                 // [n_outputs][UNITS]
    float* own_covariances = coefficients + UNITS * n_outputs;   // [n_outputs][UNITS]
    Candidate* candidates = reinterpret_cast<Candidate*>(own_covariances + UNITS * n_outputs);
    const Pool pool = {
        n_features, weights, memory, steps, covariances, moments, scores, best_weights, best_covariances,
        best_moments, marks, waited, active, fan_ins, activations
    };
    const Objective objective = {n_outputs, n, sum_of_squares, bool(is_normalised)};
    const size_t row = size_t(first_part + part) * n_rows + first;
    parts += row * n_outputs;
    totals += 2 * row;
    sums += size_t(first) * width + here + 4 * thread;

    if (first_part == 0 && blockIdx.x == 0 && thread < 2) ++clock[thread];
    if (thread < UNITS) candidates[thread] = candidate(pool, chosen[first + thread]);
    if (thread < 2 * UNITS) totals[thread] = 0;
    __syncthreads();
    bool goes_on = false;
    for (int u = 0; u < UNITS; ++u) goes_on = goes_on || candidates[u].is_active;
    if (!goes_on) return;
    for (int k = thread; k < UNITS * n_outputs; k += blockDim.x) {
        const int c = candidates[k % UNITS].index;
        own_covariances[k] = c < 0 ? 0.f : covariances[c * n_outputs + k / UNITS];
    }
    const int n_here = min(tile, width - here);
    const bool is_in = 4 * thread < n_here;
    float4 value[UNITS];
#pragma unroll
    for (int u = 0; u < UNITS; ++u) value[u] = is_in ? own_four(sums + size_t(u) * width) : float4{0, 0, 0, 0};
    __syncthreads();
    if (thread < UNITS) {
        const int c = candidates[thread].index;
        aim(objective, own_covariances + thread, c < 0 ? 0.f : moments[2 * c], c < 0 ? 0.f : moments[2 * c + 1],
            coefficients + thread, candidates[thread]);
    }
    __syncthreads();
    float aims[UNITS][4];
    weighted_sums(residuals + start + here + 4 * thread, ld, n_outputs, is_in, coefficients, aims);
#pragma unroll
    for (int u = 0; u < UNITS; ++u) {
        const float4 own_aims = {aims[u][0], aims[u][1], aims[u][2], aims[u][3]};
        const float4 deltas = deltas_of(candidates[u], own_aims, value[u]);
        if (is_in) *reinterpret_cast<float4*>(sums + size_t(u) * width) = deltas;
        *reinterpret_cast<float4*>(values + u * tile + 4 * thread) = value[u];
    }
    __syncthreads();
    products_over_patterns(residuals + start + here, ld, n_outputs, values, UNITS, n_here, false, parts, 1, n_outputs);
    if (is_normalised) add_moments(values, min(n_here, n - start - here), totals);
}

// Ends an epoch of the candidate in each row: a block scores it by its n_parts tiles, and steps along its slopes,
// [n_slopes][n_rows][row_stride], whose sum is ∂(−S) but for a scale. rows, [n_rows][row_stride], holds weights too,
// for the library. best_scores, [n_rows][most_epochs], takes the best score so far, epochs_run how many there were.
extern "C" __global__ void end_epoch(
    const int* chosen, int n_rows, int n_outputs, int n, double sum_of_squares, int is_normalised, const float* parts,
    const double* totals, const int* clock, int n_features, float* weights, float* memory, float* steps,
    float* covariances, float* moments, float* scores, float* best_weights, float* best_covariances,
    float* best_moments, float* marks, long long* waited, bool* active, const long long* fan_ins,
    const long long* activations, int n_parts, const float* slopes, int n_slopes, float* rows, int row_stride,
    int max_epochs, int patience, int optimizer, double change, float rate, float mu, float* best_scores,
    int most_epochs, int* epochs_run
) {
    SHARED_MEMORY(shared);
    Candidate& own = *reinterpret_cast<Candidate*>(shared);
    double* own_totals = reinterpret_cast<double*>(&own + 1);         // [2]
    float* own_covariances = reinterpret_cast<float*>(own_totals + 2);  // [n_outputs]
    const Pool pool = {
        n_features, weights, memory, steps, covariances, moments, scores, best_weights, best_covariances,
        best_moments, marks, waited, active, fan_ins, activations
    };
    const Objective objective = {n_outputs, n, sum_of_squares, bool(is_normalised)};
    const int row = blockIdx.x, thread = threadIdx.x, now = clock[0] - 1, epoch = clock[1] - 1;
    float& best_score = best_scores[size_t(row) * most_epochs + epoch];

    if (thread == 0) own = candidate(pool, chosen[row]);
    __syncthreads();
    if (!own.is_active) {
        if (thread == 0) best_score = own.score;
        return;
    }
    for (int o = thread; o < n_outputs; o += blockDim.x) {
        float sum = 0;
        for (int k = 0; k < n_parts; ++k) sum += parts[(size_t(k) * n_rows + row) * n_outputs + o];
        own_covariances[o] = sum;
    }
    if (is_normalised && thread < 2) {
        double sum = 0;
        for (int k = 0; k < n_parts; ++k) sum += totals[(size_t(k) * n_rows + row) * 2 + thread];
        own_totals[thread] = sum;
    }
    __syncthreads();
    if (thread == 0) {
        conclude(pool, objective, {max_epochs, patience, change}, now, own_totals, own_covariances, own);
        store(pool, own);
        best_score = own.score;
        epochs_run[row] = epoch + 1;
    }
    __syncthreads();
    // The first epoch knows no signs and so no slopes: time starts with the second.
    const Step step(optimizer, rate, mu, float(max(now, 1)));
    for (int j = thread; j < own.fan_in; j += blockDim.x) {
        const size_t place = size_t(own.index) * n_features + j, place_of_row = size_t(row) * row_stride + j;
        float weight = rows[place_of_row];
        if (own.has_improved) best_weights[place] = weight;
        if (!own.is_active) continue;
        float slope = 0;
        for (int k = 0; k < n_slopes; ++k) slope += slopes[size_t(k) * n_rows * row_stride + place_of_row];
        step.take(slope * objective.slope_scale(), weight, memory[place], steps[place]);
        rows[place_of_row] = weights[place] = weight;
    }
}
