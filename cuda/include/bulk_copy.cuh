// Hopper's copies of whole tiles by tensor maps, and the barriers they complete on: the inline PTX,
// and under the emulator its twins. PTX manual, "cp.async.bulk.tensor" and "mbarrier".
#pragma once
#include "hopper.h"
#include "wgmma.cuh"

#ifdef LN_WARPGROUPS

// Counts the bytes of the copies that arrive; each use is a phase, of parity 0, 1, 0, ...
struct CopyBarrier {
  u64 state;
};

// By one thread, before any other uses it: a __syncthreads lies between.
LN_DEVICE void barrier_begin(CopyBarrier* barrier) {
#ifdef __CUDACC__
  asm volatile("mbarrier.init.shared::cta.b64 [%0], 1;" ::"r"(shared_address(barrier)) : "memory");
  asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
#else
  emu::copy_barrier_begin(barrier);
#endif
}

// This phase is over when `bytes` have been copied.
LN_DEVICE void barrier_expect(CopyBarrier* barrier, u32 bytes) {
#ifdef __CUDACC__
  asm volatile(
      "mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(shared_address(barrier)),
      "r"(bytes)
      : "memory");
#else
  emu::copy_barrier_expect(barrier, bytes);
#endif
}

LN_DEVICE void barrier_wait(CopyBarrier* barrier, u32 parity) {
#ifdef __CUDACC__
  u32 over = 0;
  while (!over)
    asm volatile(
        "{.reg .pred over; mbarrier.try_wait.parity.shared::cta.b64 over, [%1], %2; "
        "selp.u32 %0, 1, 0, over;}"
        : "=r"(over)
        : "r"(shared_address(barrier)), "r"(parity)
        : "memory");
#else
  emu::copy_barrier_wait(barrier, parity);
#endif
}

// Begins the copy of the map's box from (row, column) on; zeros beyond the matrix.
LN_DEVICE void copy_box(void* to, const TensorMap& map, i32 row, i32 column, CopyBarrier* barrier) {
#ifdef __CUDACC__
  asm volatile(
      "cp.async.bulk.tensor.2d.shared::cluster.global.tile.mbarrier::complete_tx::bytes [%0], "
      "[%1, {%2, %3}], [%4];" ::"r"(shared_address(to)),
      "l"(&map), "r"(column), "r"(row), "r"(shared_address(barrier))
      : "memory");
#else
  emu::copy_box(to, &map, row, 0, column, barrier);
#endif
}
// The same of a map of [rows, planes, columns]: rows of one plane.
LN_DEVICE void copy_box(void* to, const TensorMap& map, i32 row, i32 plane, i32 column,
                        CopyBarrier* barrier) {
#ifdef __CUDACC__
  asm volatile(
      "cp.async.bulk.tensor.3d.shared::cluster.global.tile.mbarrier::complete_tx::bytes [%0], "
      "[%1, {%2, %3, %4}], [%5];" ::"r"(shared_address(to)),
      "l"(&map), "r"(column), "r"(plane), "r"(row), "r"(shared_address(barrier))
      : "memory");
#else
  emu::copy_box(to, &map, row, plane, column, barrier);
#endif
}
// Begins the copy of 64 channels of the map's pixels, one row each, as a convolution's kernel meets
// them: from (image, y, x) on, each dy and dx further, row by row of the places where the kernel
// begins, image by image; zeros beyond an image and beyond the last.
LN_DEVICE void copy_patches(void* to, const TensorMap& map, i32 image, i32 y, i32 x, i32 channel,
                            i32 dy, i32 dx, CopyBarrier* barrier) {
#ifdef __CUDACC__
  asm volatile(
      "cp.async.bulk.tensor.4d.shared::cluster.global.im2col.mbarrier::complete_tx::bytes [%0], "
      "[%1, {%2, %3, %4, %5}], [%6], {%7, %8};" ::"r"(shared_address(to)),
      "l"(&map), "r"(channel), "r"(x), "r"(y), "r"(image), "r"(shared_address(barrier)),
      "h"((unsigned short)dx), "h"((unsigned short)dy)
      : "memory");
#else
  emu::copy_patches(to, &map, {image, y, x, channel, dy, dx}, barrier);
#endif
}
#endif
