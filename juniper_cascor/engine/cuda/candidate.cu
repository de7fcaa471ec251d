// A candidate unit, and what becomes of it with each pass over the patterns: for the kernels that train a pool.

// What is kept of a pool between launches: the arrays of backend.CandidateState, [pool, n_features] and so on.
struct Pool {
    int n_features;
    float *weights, *memory, *steps, *covariances, *moments, *scores, *best_weights, *best_covariances, *best_moments,
        *marks;
    long long* waited;
    bool* active;
    const long long *fan_ins, *activations;
};

// What candidates aim at, over n patterns.
struct Objective {
    int n_outputs, n;
    double sum_of_squares;  // of the residuals
    bool is_normalised;

    __device__ float inverse() const { return sum_of_squares > 0 ? float(1 / sum_of_squares) : 0.f; }
    __device__ float slope_scale() const { return is_normalised ? 2.f : inverse(); }
};

// When candidates stop.
struct Limits {
    int max_epochs, patience;
    double change;
};

// What a block keeps of its candidates between epochs.
struct alignas(16) Candidate {
    float pull, mean;  // of the normalised objective's slope: see aim
    float score, mark;
    int waited, activation, index, fan_in;  // index −1: there is no such candidate
    bool is_active, has_improved;
};

__device__ inline Candidate candidate(const Pool& pool, int c) {
    if (c < 0) return {0, 0, 0, 0, 0, TANH, -1, 0, false, false};
    return {0, 0, pool.scores[c], pool.marks[c], int(pool.waited[c]), int(pool.activations[c]), c,
            int(pool.fan_ins[c]), pool.active[c], false};
}

__device__ inline void store(const Pool& pool, const Candidate& own) {
    pool.scores[own.index] = own.score;
    pool.marks[own.index] = own.mark;
    pool.waited[own.index] = own.waited;
    pool.active[own.index] = own.is_active;
}

// What the objective's slope is made of, by the epoch before: ∂S/∂V_n ∝ Σ_o coefficient_o · E_no − pull · (V_n − mean).
// For the covariance the coefficients are signs; else they are the slopes of Σ_o cov_o² / Σ(V − mean)².
__device__ inline void aim(
    const Objective& objective, const float* covariances, float mean, float variance, float* coefficients,
    Candidate& own
) {
    own.pull = 0;
    own.mean = 0;
    for (int o = 0; o < objective.n_outputs; ++o) {
        const float covariance = covariances[o * UNITS];
        float& coefficient = coefficients[o * UNITS];
        if (!objective.is_normalised) {
            coefficient = covariance > 0 ? 1.f : covariance < 0 ? -1.f : 0.f;
        } else if (variance > 0) {
            coefficient = covariance / variance;
            own.pull += coefficient * coefficient;
        } else {
            coefficient = 0;
        }
    }
    if (objective.is_normalised && variance > 0) {
        own.pull *= float(objective.sum_of_squares);
        own.mean = mean;
    }
}

// ∂(−S) by the summed inputs of four patterns, but for objective.slope_scale(); the sums become activations. `aims` are
// the coefficients' products with the residuals.
__device__ inline float4 deltas_of(const Candidate& own, float4 aims, float4& sums) {
    float4 slope;
    activate_four(own.activation, sums, slope);
    return {
        (own.pull * (sums.x - own.mean) - aims.x) * slope.x, (own.pull * (sums.y - own.mean) - aims.y) * slope.y,
        (own.pull * (sums.z - own.mean) - aims.z) * slope.z, (own.pull * (sums.w - own.mean) - aims.w) * slope.w
    };
}

// Sums of the activations over the n_here patterns of a tile, and of their squares, added to totals[u]. Warps take the
// units in turn.
__device__ inline void add_moments(const float* values, int n_here, double* totals) {
    const int lane = threadIdx.x % WARP, tile = tile_size();
    for (int u = threadIdx.x / WARP; u < UNITS; u += blockDim.x / WARP) {
        float sums[2] = {0, 0};
        for (int p = lane; p < n_here; p += WARP) {
            const float value = values[u * tile + p];
            sums[0] += value;
            sums[1] = fmaf(value, value, sums[1]);
        }
        sum_over_lanes<2>(sums);
        if (lane % (WARP / 2) == 0) totals[2 * u + lane / (WARP / 2)] += sums[0];
    }
}

// Scores epoch `now` of a candidate, keeps what is best, and finds out whether it goes on. `covariances`,
// [outputs][UNITS], become shares of the squared residuals; `totals`, [2], are as add_moments leaves them.
__device__ inline void conclude(
    const Pool& pool, const Objective& objective, const Limits& limits, int now, const double* totals,
    float* covariances, Candidate& own
) {
    const int c = own.index, n_outputs = objective.n_outputs;
    float mean = 0, variance = 0, score = 0, explained = 0;
    if (objective.is_normalised) {
        const double sum = totals[0], square = totals[1], distances = square - sum * sum / objective.n;
        mean = float(sum / objective.n);
        // What varies less than this share of its square sum is constant but for rounding.
        variance = distances > 1e-6 * square ? float(distances) : 0.f;
    }
    for (int o = 0; o < n_outputs; ++o) {
        const float covariance = covariances[o * UNITS] *= objective.inverse();
        pool.covariances[c * n_outputs + o] = covariance;
        score += fabsf(covariance);
        explained += covariance * covariance;
    }
    if (objective.is_normalised) score = variance > 0 ? float(explained * objective.sum_of_squares / variance) : 0.f;
    pool.moments[2 * c] = mean;
    pool.moments[2 * c + 1] = variance;
    own.has_improved = score > own.score;
    if (own.has_improved) {
        own.score = score;
        for (int o = 0; o < n_outputs; ++o) pool.best_covariances[c * n_outputs + o] = covariances[o * UNITS];
        pool.best_moments[2 * c] = mean;
        pool.best_moments[2 * c + 1] = variance;
    }
    if (now == 0 || fabs(double(score) - own.mark) > limits.change * own.mark) {
        own.mark = score;
        own.waited = 0;
    } else {
        ++own.waited;
    }
    own.is_active = own.waited < limits.patience && now + 1 < limits.max_epochs;
}
