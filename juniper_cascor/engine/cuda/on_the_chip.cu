// What stands before the rest where it is compiled for a GPU; tests put a shim for g++ in its place.

#define SHARED_MEMORY(name) extern __shared__ float4 name[]

// All threads of all blocks wait for one another; `arrived` counts blocks over the whole kernel. The blocks must all be
// on the chip: the launch is a cooperative one.
__device__ inline void grid_barrier(unsigned* arrived, unsigned& target) {
    target += gridDim.x;
    __syncthreads();
    if (threadIdx.x == 0) {
        __threadfence();
        atomicAdd(arrived, 1u);
        while (*reinterpret_cast<volatile unsigned*>(arrived) < target) {}
        __threadfence();
    }
    __syncthreads();
}
#define GRID_BARRIER(arrived, target) grid_barrier(arrived, target)
