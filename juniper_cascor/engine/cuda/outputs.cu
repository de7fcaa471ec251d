// The epochs of an output layer, and what it leaves unexplained.

constexpr float PRIME_OFFSET = 0.1f;        // keeps a saturated output unit learning: Fahlman 1988
constexpr float LEAST_IMPORTANCE = 1e-3f;   // of a pattern that must be learnt for the layer to have solved

// Patterns with what is wanted of them; see patterns.Patterns.
struct Patterns {
    const float *features, *targets, *importances;
    const int* labels;
    int ld, n;
};

// What a pass over patterns sums up in a thread.
struct Measured {
    double loss = 0, largest = 0;
    int correct = 0;
};

__device__ inline float respond(float sum, bool is_linear) { return is_linear ? sum : 0.5f * tanh_of(0.5f * sum); }

__device__ inline float prime_of(float output, bool is_linear) {
    return is_linear ? 1.f : 0.25f - output * output + PRIME_OFFSET;
}

// One pass of all output units over this block's tiles; into `slopes`, [outputs][n_features], where it is not null.
__device__ inline Measured learn(
    const Patterns& patterns, int n_features, int n_outputs, bool is_linear, const float* weights, float* slopes,
    float* own_weights, float* deltas
) {
    Measured measured;
    const int tile = tile_size(), thread = threadIdx.x;
    for (int start = blockIdx.x * tile; start < patterns.ld; start += gridDim.x * tile) {
        const int width = min(tile, patterns.ld - start), p = start + 4 * thread;
        const bool is_in = 4 * thread < width;
        float best[4];
        int chosen[4] = {0, 0, 0, 0};
        for (int first = 0; first < n_outputs; first += UNITS) {
            const int here = min(UNITS, n_outputs - first);
            __syncthreads();
            for (int k = thread; k < n_features * UNITS; k += blockDim.x)
                own_weights[k] = k % UNITS < here ? weights[(first + k % UNITS) * n_features + k / UNITS] : 0.f;
            __syncthreads();
            float sums[UNITS][4];
            weighted_sums(patterns.features + p, patterns.ld, n_features, is_in, own_weights, sums);
#pragma unroll
            for (int u = 0; u < UNITS; ++u) {
                float4 delta = {0, 0, 0, 0};
                float* delta_of = &delta.x;
                if (is_in && u < here) {
#pragma unroll
                    for (int i = 0; i < 4; ++i) {
                        const float output = respond(sums[u][i], is_linear);
                        const float importance = patterns.importances[p + i];
                        const float error = output - patterns.targets[size_t(first + u) * patterns.ld + p + i];
                        measured.loss += importance * error * error;
                        if (importance >= LEAST_IMPORTANCE) measured.largest = fmax(measured.largest, double(fabsf(error)));
                        delta_of[i] = importance * error * prime_of(output, is_linear);
                        if (first + u == 0 || output > best[i]) {
                            best[i] = output;
                            chosen[i] = first + u;
                        }
                    }
                }
                *reinterpret_cast<float4*>(deltas + u * tile + 4 * thread) = delta;
            }
            __syncthreads();
            if (slopes != nullptr)
                products_over_patterns(
                    patterns.features + start, patterns.ld, n_features, deltas, here, width, start >= int(gridDim.x) * tile,
                    slopes + size_t(first) * n_features, 1, n_features
                );
        }
        if (is_in)
            for (int i = 0; i < 4; ++i) {
                const int label = patterns.labels[p + i];
                const int wanted = n_outputs > 1 ? chosen[i] : int(best[i] > 0);
                measured.correct += label >= 0 && wanted == label;
            }
    }
    return measured;
}

// Up to n_epochs epochs of an output layer, until its phase ends; the epoch that ends it takes no step.
//
// The blocks share out the patterns' tiles and then the weights; no bit depends on when which is done. The arrays are
// those of backend.OutputState, but that what an array of settings holds comes one by one. `sums`, [blocks][5], and
// `slopes`, [blocks][outputs * n_features], are the blocks' room. `rows`, [n_epochs][4], is that of
// backend.OutputChunk; `ended`, [3], takes the epochs run, whether the phase has ended, and whether the layer has
// solved. `arrived`, which is 0, counts blocks.
extern "C" __global__ void train_outputs(
    const float* features, const float* targets, const int* labels, const float* importances, int ld, int n,
    const float* val_features, const float* val_targets, const int* val_labels, const float* val_importances,
    int val_ld, int n_val, int n_features, int n_outputs, int is_linear, float* weights, float* memory, float* steps,
    long long* clock, double* mark, int max_epochs, int patience, int optimizer, double change, double near_enough,
    float rate, float mu, float ridge, double* sums, float* slopes, float* rows, int n_epochs, int* ended,
    unsigned* arrived
) {
    SHARED_MEMORY(shared);
    const int thread = threadIdx.x, n_blocks = gridDim.x, n_weights = n_outputs * n_features;
    double* room = reinterpret_cast<double*>(shared);       // [warps], of up to 32
    float* deltas = reinterpret_cast<float*>(room + WARP);  // [UNITS][tile]
    float* own_weights = deltas + UNITS * tile_size();      // [n_features][UNITS]
    const Patterns train = {features, targets, importances, labels, ld, n};
    const Patterns held_out = {val_features, val_targets, val_importances, val_labels, val_ld, n_val};
    const bool is_first = blockIdx.x == 0 && thread == 0;
    long long now = clock[0], waited = clock[1];
    double marked = mark[0];
    unsigned target = 0;
    int epoch = 0;
    bool has_ended = false, has_solved = false;

    while (epoch < n_epochs && !has_ended) {
        const Measured own = learn(
            train, n_features, n_outputs, is_linear, weights, slopes + size_t(blockIdx.x) * n_weights, own_weights,
            deltas
        );
        Measured of_val;
        if (n_val > 0)
            of_val = learn(held_out, n_features, n_outputs, is_linear, weights, nullptr, own_weights, deltas);
        const double all[5] = {
            sum_over_block(own.loss, room), sum_over_block(own.correct, room), largest_of_block(own.largest, room),
            sum_over_block(of_val.loss, room), sum_over_block(of_val.correct, room)
        };
        if (thread == 0)
            for (int k = 0; k < 5; ++k) sums[5 * blockIdx.x + k] = all[k];
        GRID_BARRIER(arrived, target);

        double of_all[5] = {0, 0, 0, 0, 0};
        for (int b = 0; b < n_blocks; ++b)
            for (int k = 0; k < 5; ++k)
                of_all[k] = k == 2 ? fmax(of_all[k], sums[5 * b + k]) : of_all[k] + sums[5 * b + k];
        const double loss = of_all[0] / (double(n) * n_outputs);
        if (is_first) {
            float* row = rows + 4 * epoch;
            row[0] = float(loss);
            if (!is_linear) row[1] = float(of_all[1] / n);
            if (n_val > 0) row[2] = float(of_all[3] / (double(n_val) * n_outputs));
            if (n_val > 0 && !is_linear) row[3] = float(of_all[4] / n_val);
        }
        has_solved = float(of_all[2]) < near_enough;
        if (now == 0 || fabs(loss - marked) > change * marked) {
            marked = loss;
            waited = 0;
        } else {
            ++waited;
        }
        ++now;
        ++epoch;
        has_ended = has_solved || waited >= patience || now >= max_epochs;
        if (!has_ended) {
            const Step step(optimizer, rate, mu, float(now));
            const float share = float(1.0 / n);
            for (int k = blockIdx.x * blockDim.x + thread; k < n_weights; k += n_blocks * blockDim.x) {
                float slope = 0;
                for (int b = 0; b < n_blocks; ++b) slope += slopes[size_t(b) * n_weights + k];
                slope = slope * share + (k % n_features > 0 ? ridge * weights[k] : 0.f);
                step.take(slope, weights[k], memory[k], steps[k]);
            }
        }
        GRID_BARRIER(arrived, target);
    }
    if (is_first) {
        clock[0] = now;
        clock[1] = waited;
        mark[0] = marked;
        ended[0] = epoch;
        ended[1] = has_ended;
        ended[2] = has_solved;
    }
}

// residuals[o][i] = error × (σ′ + 0.1) of an output layer, by importance and centred over the n patterns; a block for
// each output. `squares`, [outputs], takes the sums of their squares.
extern "C" __global__ void measure_residuals(
    const float* features, const float* targets, const float* importances, int ld, int n, int n_features,
    int is_linear, const float* weights, float* residuals, double* squares
) {
    SHARED_MEMORY(shared);
    const int o = blockIdx.x, thread = threadIdx.x;
    double* room = reinterpret_cast<double*>(shared);
    weights += size_t(o) * n_features;
    residuals += size_t(o) * ld;
    double sum = 0;
    for (int p = thread; p < ld; p += blockDim.x) {
        float output = 0;
        for (int j = 0; j < n_features; ++j) output = fmaf(weights[j], features[size_t(j) * ld + p], output);
        output = respond(output, is_linear);
        residuals[p] = importances[p] * (output - targets[size_t(o) * ld + p]) * prime_of(output, is_linear);
        sum += residuals[p];
    }
    const float mean = float(sum_over_block(sum, room) / n);
    double own = 0;
    for (int p = thread; p < n; p += blockDim.x) {
        residuals[p] -= mean;
        own += double(residuals[p]) * residuals[p];
    }
    own = sum_over_block(own, room);
    if (thread == 0) squares[o] = own;
}
