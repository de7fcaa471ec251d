// The epochs of a candidate pool, and an installed unit's row.

#if UNITS == 1
#define BOUNDS __launch_bounds__(512, 2)  // two large blocks of one candidate share a processor
#else
#define BOUNDS
#endif

// Up to n_epochs epochs of the chosen candidates, UNITS of them in each block, until all of a block have stopped.
//
// One pass does both, score and slopes, these with the signs of the epoch before (Fahlman & Lebiere 1990).
// best_scores, [chosen, n_epochs], takes the best score so far; epochs_run, [chosen], how many epochs there were.
extern "C" __global__ void BOUNDS train_candidates(
    const float* __restrict__ features, int n_features, const float* __restrict__ residuals, int n_outputs, int ld,
    int n, double sum_of_squares, const int* chosen, int n_chosen, float* weights, float* memory, float* steps,
    float* covariances, float* moments, float* scores, float* best_weights, float* best_covariances,
    float* best_moments, float* marks, long long* waited, bool* active, const long long* fan_ins,
    const long long* activations, int first_epoch, int max_epochs, int patience, int optimizer, int is_normalised,
    double change, float rate, float mu, int n_epochs, float* best_scores, int* epochs_run
) {
    SHARED_MEMORY(shared);
    const int tile = tile_size(), thread = threadIdx.x;
    const int n_rows = (n_features + ROWS - 1) / ROWS * ROWS, n_out_rows = (n_outputs + ROWS - 1) / ROWS * ROWS;
    double* room = reinterpret_cast<double*>(shared);                    // [warps], of up to 32
    float* values = reinterpret_cast<float*>(room + WARP);               // [UNITS][tile]
    float* deltas = values + UNITS * tile;                               // [UNITS][tile]
    float* own_weights = deltas + UNITS * tile;                          // [n_rows][UNITS]
    float* slopes = own_weights + n_rows * UNITS;                        // [n_rows][UNITS]
    float* coefficients = slopes + n_rows * UNITS;                       // [n_out_rows][UNITS]
    float* own_covariances = coefficients + n_out_rows * UNITS;          // [n_out_rows][UNITS]
    double* totals = reinterpret_cast<double*>(own_covariances + n_out_rows * UNITS);  // [UNITS][2]
    Candidate* candidates = reinterpret_cast<Candidate*>(totals + 2 * UNITS);
    if (STAGED) {
        float* staged = reinterpret_cast<float*>(candidates + UNITS);  // [n_features + n_outputs][ld]
        for (int k = 4 * thread; k < n_features * ld; k += tile)
            *reinterpret_cast<float4*>(staged + k) = __ldg(reinterpret_cast<const float4*>(features + k));
        features = staged;
        staged += n_features * ld;
        for (int k = 4 * thread; k < n_outputs * ld; k += tile)
            *reinterpret_cast<float4*>(staged + k) = __ldg(reinterpret_cast<const float4*>(residuals + k));
        residuals = staged;
    }
    const Pool pool = {
        n_features, weights, memory, steps, covariances, moments, scores, best_weights, best_covariances,
        best_moments, marks, waited, active, fan_ins, activations
    };
    const Objective objective = {n_outputs, n, sum_of_squares, bool(is_normalised)};
    const Limits limits = {max_epochs, patience, change};

    if (thread < UNITS) {
        const int place = blockIdx.x * UNITS + thread, c = place < n_chosen ? chosen[place] : -1;
        Candidate& own = candidates[thread] = candidate(pool, c);
        if (c >= 0) {
            for (int o = 0; o < n_outputs; ++o) own_covariances[o * UNITS + thread] = covariances[c * n_outputs + o];
            aim(objective, own_covariances + thread, moments[2 * c], moments[2 * c + 1], coefficients + thread, own);
        } else {
            for (int o = 0; o < n_outputs; ++o) coefficients[o * UNITS + thread] = 0;
        }
    }
    __syncthreads();
    for (int k = thread; k < n_rows * UNITS; k += blockDim.x) {
        const int j = k / UNITS, c = candidates[k % UNITS].index;
        own_weights[k] = c >= 0 && j < candidates[k % UNITS].fan_in ? weights[size_t(c) * n_features + j] : 0.f;
        slopes[k] = 0;
    }

    for (int epoch = 0; epoch < n_epochs; ++epoch) {
        __syncthreads();
        bool goes_on = false;
        for (int u = 0; u < UNITS; ++u) goes_on = goes_on || candidates[u].is_active;
        if (!goes_on) break;

        if (thread < 2 * UNITS) totals[thread] = 0;
        for (int start = 0; start < ld; start += tile) {
            const int width = min(tile, ld - start), p = start + 4 * thread;
            const bool is_in = 4 * thread < width;
            float sums[UNITS][4];
            weighted_sums(residuals + p, ld, n_outputs, is_in, coefficients, sums);
            for (int u = 0; u < UNITS; ++u)
                *reinterpret_cast<float4*>(deltas + u * tile + 4 * thread) =
                    float4{sums[u][0], sums[u][1], sums[u][2], sums[u][3]};
            weighted_sums(features + p, ld, n_features, is_in, own_weights, sums);
            for (int u = 0; u < UNITS; ++u)
                *reinterpret_cast<float4*>(values + u * tile + 4 * thread) =
                    float4{sums[u][0], sums[u][1], sums[u][2], sums[u][3]};
#pragma unroll 1  // activations take many instructions: once is enough
            for (int u = 0; u < UNITS; ++u) {
                float4* delta = reinterpret_cast<float4*>(deltas + u * tile + 4 * thread);
                *delta = deltas_of(
                    candidates[u], *delta, *reinterpret_cast<float4*>(values + u * tile + 4 * thread)
                );
            }
            __syncthreads();
            products_over_patterns(
                features + start, ld, n_features, deltas, UNITS, width, start > 0, slopes, UNITS, 1
            );
            products_over_patterns(
                residuals + start, ld, n_outputs, values, UNITS, width, start > 0, own_covariances, UNITS, 1
            );
            if (is_normalised) add_moments(values, min(width, n - start), totals);
            __syncthreads();
        }
        if (thread < UNITS && candidates[thread].is_active) {
            Candidate& own = candidates[thread];
            conclude(
                pool, objective, limits, first_epoch + epoch, totals + 2 * thread, own_covariances + thread, own
            );
            aim(objective, own_covariances + thread, moments[2 * own.index], moments[2 * own.index + 1],
                coefficients + thread, own);
            best_scores[size_t(blockIdx.x * UNITS + thread) * n_epochs + epoch] = own.score;
            epochs_run[blockIdx.x * UNITS + thread] = epoch + 1;
        }
        __syncthreads();

        const float scale = objective.slope_scale();
        // The first epoch knows no signs and so no slopes: time starts with the second.
        const Step step(optimizer, rate, mu, float(max(first_epoch + epoch, 1)));
        for (int k = thread; k < n_features * UNITS; k += blockDim.x) {
            // Neighbours take neighbouring weights of a candidate, as they lie in memory.
            const int u = k / n_features, j = k % n_features;
            Candidate& own = candidates[u];
            if (own.index < 0 || j >= own.fan_in) continue;
            const size_t place = size_t(own.index) * n_features + j;
            if (own.has_improved) best_weights[place] = own_weights[j * UNITS + u];
            if (own.is_active)
                step.take(slopes[j * UNITS + u] * scale, own_weights[j * UNITS + u], memory[place], steps[place]);
        }
        __syncthreads();
        if (thread < UNITS) candidates[thread].has_improved = false;
    }

    __syncthreads();
    for (int k = thread; k < n_features * UNITS; k += blockDim.x) {
        const int u = k / n_features, j = k % n_features, c = candidates[u].index;
        if (c >= 0 && j < candidates[u].fan_in) weights[size_t(c) * n_features + j] = own_weights[j * UNITS + u];
    }
    if (thread < UNITS && candidates[thread].index >= 0) {
        const Candidate& own = candidates[thread];
        const int place = blockIdx.x * UNITS + thread;
        store(pool, own);
        for (int e = epochs_run[place]; e < n_epochs; ++e) best_scores[size_t(place) * n_epochs + e] = own.score;
    }
}

// An installed unit's activation on each of n patterns, a tile a block; zeros beyond the last.
extern "C" __global__ void install(
    const float* __restrict__ features, int n_features, int ld, int n, const float* __restrict__ weights,
    int activation, float* row
) {
    const int p = blockIdx.x * blockDim.x + threadIdx.x;
    if (p >= ld) return;
    float sum = 0, value, slope;
    for (int j = 0; j < n_features; ++j) sum = fmaf(weights[j], features[size_t(j) * ld + p], sum);
    activate(activation, sum, value, slope);
    row[p] = p < n ? value : 0.f;
}
