// CUDA's blocks and threads under g++, for the kernels' sources: each thread is a fiber, all of them run in turn, and a
// fiber that waits passes control to the next one.
#pragma once
#include <csetjmp>
#include <ucontext.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#define __device__
#define __global__
#define __launch_bounds__(...)
#define __restrict__ __restrict
using std::max;
using std::min;

struct float4 { float x, y, z, w; };
struct Place { unsigned x; };

namespace shim {

constexpr size_t STACK = 256 * 1024;
constexpr size_t BEYOND = 4096;  // bytes behind a block's shared memory, of which it must write none

// Threads that wait for one another: all of them go on in the round after the last one has come, side by side.
struct Meeting {
    unsigned arrived = 0, times = 0, release = 0;
    void join(unsigned all);
};

struct Fiber {
    ucontext_t context;  // to begin with
    jmp_buf place;       // where it goes on: jumping asks nothing of the kernel
    bool has_begun = false;
    Place block, thread;
    float4* shared;
    double* lanes;  // of the block: what each thread gives to a shuffle
    Meeting* block_meeting;
    bool is_over = false;
};

inline jmp_buf round;
inline Fiber* now;
inline unsigned n_blocks, n_threads, rounds;
inline bool overrun;  // whether a block wrote beyond its shared memory
inline Meeting grid_meeting;

inline void next() {
    if (_setjmp(now->place) == 0) _longjmp(round, 1);
}

inline void go_on(Fiber& fiber) {
    now = &fiber;
    if (_setjmp(round) != 0) return;
    if (fiber.has_begun) _longjmp(fiber.place, 1);
    fiber.has_begun = true;
    setcontext(&fiber.context);
}

inline void Meeting::join(unsigned all) {
    if (++arrived == all) {
        arrived = 0;
        ++times;
        release = rounds + 1;
    }
    for (const unsigned before = arrived == 0 ? times - 1 : times; times == before;) next();
    while (rounds < release) next();
}

}  // namespace shim

#define blockIdx (shim::now->block)
#define threadIdx (shim::now->thread)
#define blockDim (Place{shim::n_threads})
#define gridDim (Place{shim::n_blocks})
#define SHARED_MEMORY(name) float4* name = shim::now->shared

inline void __syncthreads() { shim::now->block_meeting->join(shim::n_threads); }
#define GRID_BARRIER(arrived, target) ((void)(arrived), (void)(target), shim::grid_meeting.join(shim::n_blocks * shim::n_threads))

template <class T> T __shfl_xor_sync(unsigned, T value, int mask) {
    shim::now->lanes[threadIdx.x] = value;
    shim::next();
    const T other = T(shim::now->lanes[threadIdx.x ^ mask]);
    shim::next();
    return other;
}

template <class T> T __ldg(const T* p) { return *p; }
inline float __fdividef(float a, float b) { return a / b; }
inline float __int_as_float(int bits) {
    float value;
    std::memcpy(&value, &bits, sizeof value);
    return value;
}

namespace shim {

template <class... A> struct Call {
    void (*kernel)(A...);
    void** arguments;
    template <size_t... I> void operator()(std::index_sequence<I...>) const {
        kernel(*static_cast<std::remove_const_t<A>*>(arguments[I])...);
    }
    void operator()() const { (*this)(std::index_sequence_for<A...>{}); }
};

template <class... A> void run(const Call<A...>& call, unsigned first, unsigned end, size_t shared_bytes) {
    static thread_local const Call<A...>* body;
    body = &call;
    static std::vector<std::unique_ptr<char[]>> stacks;  // kept: to map them anew takes longer than most kernels
    std::vector<Fiber> fibers((end - first) * n_threads);
    while (stacks.size() < fibers.size()) stacks.emplace_back(new char[STACK]);
    std::vector<std::vector<float4>> shared(end - first, std::vector<float4>((shared_bytes + BEYOND) / sizeof(float4)));
    std::vector<std::vector<double>> lanes(end - first, std::vector<double>(n_threads));
    std::vector<Meeting> meetings(end - first);
    for (unsigned k = 0; k < fibers.size(); ++k) {
        Fiber& fiber = fibers[k];
        fiber.block = {first + k / n_threads};
        fiber.thread = {k % n_threads};
        // What a kernel reads before it writes it should be seen.
        if (k % n_threads == 0) std::memset(shared[k / n_threads].data(), 0xff, shared[k / n_threads].size() * 16);
        fiber.shared = shared[k / n_threads].data();
        fiber.lanes = lanes[k / n_threads].data();
        fiber.block_meeting = &meetings[k / n_threads];
        getcontext(&fiber.context);
        fiber.context.uc_stack.ss_sp = stacks[k].get();
        fiber.context.uc_stack.ss_size = STACK;
        makecontext(&fiber.context, +[] {
            (*body)();
            now->is_over = true;
            _longjmp(round, 1);
        }, 0);
    }
    rounds = 0;
    grid_meeting = {};
    for (bool is_over = false; !is_over; ++rounds) {
        is_over = true;
        for (Fiber& fiber : fibers) {
            if (fiber.is_over) continue;
            go_on(fiber);
            is_over = is_over && fiber.is_over;
        }
    }
    for (const auto& own : shared)
        for (size_t k = shared_bytes; k < own.size() * sizeof(float4); ++k)
            if (reinterpret_cast<const unsigned char*>(own.data())[k] != 0xff) overrun = true;
}

// Launches a kernel as cuLaunchKernel does: one pointer for each argument. Blocks run one after the other, or all at once.
// False where one wrote beyond its shared memory.
template <class... A>
bool launch(void (*kernel)(A...), unsigned grid, unsigned block, size_t shared_bytes, bool at_once, void** arguments) {
    n_blocks = grid;
    n_threads = block;
    const Call<A...> call{kernel, arguments};
    overrun = false;
    const unsigned step = at_once ? grid : 1;
    for (unsigned b = 0; b < grid; b += step) run(call, b, b + step, shared_bytes);
    return !overrun;
}

}  // namespace shim

#define EXPORT(kernel)                                                                                          \
    extern "C" bool launch_##kernel(unsigned grid, unsigned block, size_t shared, bool at_once, void** arguments) { \
        return shim::launch(kernel, grid, block, shared, at_once, arguments);                                   \
    }
