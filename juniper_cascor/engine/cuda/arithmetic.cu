// What the kernels compute with: products over patterns, activation functions, optimiser steps, sums over threads.
//
// It stands before the files of kernels and is compiled with them, for a number of UNITS: candidates or outputs
// that a block works on side by side, so that a feature is read once for all of them. A unit's own sums are taken in
// the same order whatever UNITS is, and whichever units stand beside it. Products are fused where fmaf says so and
// nowhere else (--fmad=false): so the same source gives the same bits under g++.
//
// Patterns come in tiles of four for each thread of a block; patterns beyond the last are zeros in every feature.

#ifndef UNITS
#define UNITS 1
#endif
#ifndef STAGED  // whether features and residuals are brought to shared memory first
#define STAGED 0
#endif

constexpr int ROWS = 4;  // features that a warp sums over patterns at once
constexpr int WARP = 32;

enum Activation { TANH, SIGMOID, GAUSSIAN, SIN };     // as in activations.ACTIVATIONS
enum Optimizer { IRPROP, QUICKPROP, ADAM };           // as in parameters.Optimizer

__device__ inline int tile_size() { return 4 * int(blockDim.x); }

// Four numbers side by side, of what a kernel itself writes.
__device__ inline float4 own_four(const float* p) { return *reinterpret_cast<const float4*>(p); }

// Four numbers side by side, of what no kernel writes while it is read.
__device__ inline float4 four(const float* p) {
    return STAGED ? own_four(p) : __ldg(reinterpret_cast<const float4*>(p));
}

// A weight of each unit, from shared memory.
__device__ inline void weights_of_units(const float* p, float (&weights)[UNITS]) {
    if constexpr (UNITS % 4 == 0) {
#pragma unroll
        for (int u = 0; u < UNITS; u += 4) {
            const float4 w = own_four(p + u);
            weights[u] = w.x;
            weights[u + 1] = w.y;
            weights[u + 2] = w.z;
            weights[u + 3] = w.w;
        }
    } else {
#pragma unroll
        for (int u = 0; u < UNITS; ++u) weights[u] = p[u];
    }
}

__device__ inline float dot(float4 a, float4 b, float sum) {
    return fmaf(a.w, b.w, fmaf(a.z, b.z, fmaf(a.y, b.y, fmaf(a.x, b.x, sum))));
}

// sums[u][i] = Σ_j weights[j][u] · rows[j][i], for the four patterns at `rows` and each unit. No row is read where the
// patterns lie beyond the last (is_in).
__device__ inline void weighted_sums(
    const float* rows, int ld, int n_rows, bool is_in, const float* weights, float (&sums)[UNITS][4]
) {
    for (int u = 0; u < UNITS; ++u)
        for (int i = 0; i < 4; ++i) sums[u][i] = 0;
    if (!is_in) return;
#pragma unroll 4
    for (int j = 0; j < n_rows; ++j) {
        const float4 f = four(rows + size_t(j) * ld);
        float w[UNITS];
        weights_of_units(weights + j * UNITS, w);
#pragma unroll
        for (int u = 0; u < UNITS; ++u) {
            sums[u][0] = fmaf(w[u], f.x, sums[u][0]);
            sums[u][1] = fmaf(w[u], f.y, sums[u][1]);
            sums[u][2] = fmaf(w[u], f.z, sums[u][2]);
            sums[u][3] = fmaf(w[u], f.w, sums[u][3]);
        }
    }
}

// Sums of N values over the lanes of a warp, always in the same tree: of each halving a lane keeps the half that its
// own bit says. In the end value v's sum stands in lane v · 32 / N, or for N > 32 in lane v · 32 / N with its rest v % (N / 32).
template <int N> __device__ inline void sum_over_lanes(float (&values)[N]) {
    const int lane = threadIdx.x % WARP;
    int n = N;
#pragma unroll
    for (int mask = WARP / 2; mask > 0; mask /= 2) {
        const bool is_upper = lane & mask;
        if (n > 1) {
            n /= 2;
#pragma unroll
            for (int i = 0; i < N / 2; ++i) {
                if (i < n) {
                    const float kept = is_upper ? values[i + n] : values[i];
                    const float given = is_upper ? values[i] : values[i + n];
                    values[i] = kept + __shfl_xor_sync(0xffffffffu, given, mask);
                }
            }
        } else {
            values[0] = values[0] + __shfl_xor_sync(0xffffffffu, values[0], mask);
        }
    }
}

// into[j][u] = Σ_i values[u][i] · rows[j][i] over the `width` patterns of a tile, or as much more than it was (`adds`).
// The block's warps take the rows in turn, ROWS at a time; only one lane ever writes a place of `into`. Units beyond
// n_units are left out.
__device__ inline void products_over_patterns(
    const float* rows, int ld, int n_rows, const float* values, int n_units, int width, bool adds, float* into,
    int row_stride, int unit_stride
) {
    const int lane = threadIdx.x % WARP, warp = threadIdx.x / WARP, n_warps = blockDim.x / WARP;
    const int tile = tile_size();
    for (int first = warp * ROWS; first < n_rows; first += n_warps * ROWS) {
        float sums[UNITS * ROWS];
#pragma unroll
        for (int v = 0; v < UNITS * ROWS; ++v) sums[v] = 0;
#pragma unroll 1
        for (int p = 4 * lane; p < width; p += 4 * WARP) {
            float4 f[ROWS];
#pragma unroll
            for (int r = 0; r < ROWS; ++r) f[r] = four(rows + size_t(min(first + r, n_rows - 1)) * ld + p);
#pragma unroll
            for (int u = 0; u < UNITS; ++u) {
                const float4 value = own_four(values + u * tile + p);
#pragma unroll
                for (int r = 0; r < ROWS; ++r) sums[u * ROWS + r] = dot(value, f[r], sums[u * ROWS + r]);
            }
        }
        constexpr int N = UNITS * ROWS, KEPT = N > WARP ? N / WARP : 1, SHARE = N > WARP ? 1 : WARP / N;
        sum_over_lanes<N>(sums);
        if (lane % SHARE == 0) {
#pragma unroll
            for (int k = 0; k < KEPT; ++k) {
                const int v = lane / SHARE * KEPT + k, row = first + v % ROWS, unit = v / ROWS;
                float* place = into + row * row_stride + unit * unit_stride;
                if (row < n_rows && unit < n_units) *place = adds ? *place + sums[k] : sums[k];
            }
        }
    }
}

// Sums of a number of each thread over the block, in a fixed order; `room` holds one for each warp. All threads get it.
__device__ inline double sum_over_block(double value, double* room) {
    for (int mask = WARP / 2; mask > 0; mask /= 2) value = value + __shfl_xor_sync(0xffffffffu, value, mask);
    __syncthreads();
    if (threadIdx.x % WARP == 0) room[threadIdx.x / WARP] = value;
    __syncthreads();
    double sum = 0;
    for (int w = 0; w < int(blockDim.x) / WARP; ++w) sum += room[w];
    return sum;
}

__device__ inline double largest_of_block(double value, double* room) {
    for (int mask = WARP / 2; mask > 0; mask /= 2) value = fmax(value, __shfl_xor_sync(0xffffffffu, value, mask));
    __syncthreads();
    if (threadIdx.x % WARP == 0) room[threadIdx.x / WARP] = value;
    __syncthreads();
    double largest = 0;
    for (int w = 0; w < int(blockDim.x) / WARP; ++w) largest = fmax(largest, room[w]);
    return largest;
}

// x·P(x²)/Q(x²), least maximal relative error on [0, 8]; beyond it tanh is ±1 in float32.
__device__ inline float tanh_of(float x) {
    x = fminf(fmaxf(x, -8.f), 8.f);
    const float u = x * x;
    const float p = fmaf(u, fmaf(u, fmaf(u, 1.14284428e-05f, 0.0029510258f), 0.12925665f), 0.999999854f);
    const float q =
        fmaf(u, fmaf(u, fmaf(u, fmaf(u, 2.45921657e-07f, 0.000238669439f), 0.0238155628f), 0.462588806f), 1.f);
    return __fdividef(x * p, q);
}

__device__ inline float gaussian_of(float x) {
    x = fminf(fmaxf(x, -13.f), 13.f);
    const float t = -0.72134752f * (x * x), whole = floorf(t + 0.5f), f = t - whole;
    float mantissa = fmaf(f, 0.00015345811f, 0.00133999309f);
    mantissa = fmaf(f, mantissa, 0.00961848907f);
    mantissa = fmaf(f, mantissa, 0.0555032864f);
    mantissa = fmaf(f, mantissa, 0.240226462f);
    mantissa = fmaf(f, mantissa, 0.693147182f);
    mantissa = fmaf(f, mantissa, 1.f);
    return mantissa * __int_as_float((int(whole) + 127) << 23);
}

// sin and cos by x less a whole number of half turns, π in four parts (Cody & Waite 1980).
__device__ inline void sin_of(float x, float& sine, float& cosine) {
    const float half_turns = floorf(fmaf(x, 0.318309886f, 0.5f));
    float r = x - half_turns * 3.140625f;
    r = r - half_turns * 0.0009670257568359375f;
    r = r - half_turns * 6.2771141529083251953e-07f - half_turns * 1.2154201256553420762e-10f;
    r = fminf(fmaxf(r, -1.57079633f), 1.57079633f);
    const float sign = 1.f - 2.f * (half_turns - 2.f * floorf(half_turns * 0.5f)), u = r * r;
    float s = fmaf(u, 2.60190313e-06f, -0.000198074194f), c = fmaf(u, -2.60514952e-07f, 2.4760162e-05f);
    s = fmaf(u, fmaf(u, fmaf(u, s, 0.0083330255f), -0.166666567f), 1.f);
    c = fmaf(u, fmaf(u, fmaf(u, fmaf(u, c, -0.00138883619f), 0.0416666381f), -0.5f), 1.f);
    sine = sign * r * s;
    cosine = sign * c;
}

// A unit's activation and its slope for a summed input.
__device__ inline void activate(int activation, float x, float& value, float& slope) {
    if (activation == TANH) {
        value = tanh_of(x);
        slope = 1.f - value * value;
    } else if (activation == SIGMOID) {
        value = 0.5f * tanh_of(0.5f * x);
        slope = 0.25f - value * value;
    } else if (activation == GAUSSIAN) {
        value = gaussian_of(x);
        slope = -x * value;
    } else {
        sin_of(x, value, slope);
    }
}

// The same for four summed inputs, which become the activations.
__device__ inline void activate_four(int activation, float4& sums, float4& slopes) {
    float* sum_of = &sums.x;
    float* slope_of = &slopes.x;
#pragma unroll
    for (int i = 0; i < 4; ++i) {
        const float sum = sum_of[i];
        activate(activation, sum, sum_of[i], slope_of[i]);
    }
}

struct Step {
    int optimizer;
    float rate, mu;
    float mean_bias, square_bias;  // of Adam, by its time

    __device__ Step(int optimizer, float rate, float mu, float time)
        : optimizer(optimizer), rate(rate), mu(mu), mean_bias(1), square_bias(1) {
        if (optimizer == ADAM) {
            mean_bias = 1.f - powf(0.9f, time);
            square_bias = 1.f - powf(0.999f, time);
        }
    }

    // One step of a weight down its slope; `memory` and `step` are what the optimiser keeps of it (see backend.py).
    __device__ void take(float slope, float& weight, float& memory, float& step) const {
        if (optimizer == IRPROP) {  // iRprop−: Igel & Hüsken 2003
            const float agreement = slope * memory;
            float next = step * (agreement > 0 ? 1.2f : agreement < 0 ? 0.5f : 1.f);
            next = fminf(fmaxf(next, 1e-6f), 50.f);
            if (agreement < 0) slope = 0;
            weight -= slope > 0 ? next : slope < 0 ? -next : 0.f;
            step = next;
            memory = slope;
        } else if (optimizer == QUICKPROP) {  // Fahlman 1988; `step` is the last move
            const float shrinkage = mu / (1.f + mu), sign = step < 0 ? 1.f : -1.f;
            const float ahead = sign * slope, before = sign * memory;
            const float jump = ahead >= shrinkage * before ? mu * step : step * slope / (memory - slope);
            float next = jump + (ahead > 0 ? -rate * slope : 0.f);
            if (step == 0) next = -rate * slope;
            next = fminf(fmaxf(next, -50.f), 50.f);
            weight += next;
            step = next;
            memory = slope;
        } else {  // Adam: Kingma & Ba 2015
            memory = 0.9f * memory + 0.1f * slope;
            step = 0.999f * step + 0.001f * slope * slope;
            weight -= rate * (memory / mean_bias) / (sqrtf(step / square_bias) + 1e-8f);
        }
    }
};
