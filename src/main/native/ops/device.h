// Devices, their memory and mapped files; what the host computes by itself. See lora_ops.h.
#pragma once
#include <stdint.h>

// Opens the CPU device with `threads` OpenMP threads; *device receives its handle.
int ln_cpu_open(int32_t threads, int64_t* device);
// Opens card `index` through the driver library of that name or path; kernels are loaded apart.
int ln_cuda_open(const char* library, int32_t index, int64_t* device);
// Loads a module (cubin or PTX) whose bytes lie at `image`.
int ln_cuda_load_module(int64_t device, int64_t image);
// Leaves out the kernels that only Hopper has, for those of all cards. *left 0: the card had none.
int ln_cuda_leave_warpgroups(int64_t device, int32_t* left);
// Bytes of an open card that can be had now.
int ln_cuda_free_bytes(int64_t device, int64_t* free_bytes);
// What a card is: *capability is major * 10 + minor, *driver as cuDriverGetVersion gives it. The
// card is not opened for it.
int ln_cuda_info(const char* library, int32_t index, char* name, int32_t name_bytes,
                 int64_t* total_bytes, int32_t* capability, int32_t* driver);
// Number of cards; an error says why there is none.
int ln_cuda_count(const char* library, int32_t* count);
int ln_device_close(int64_t device);
// "v2", "v3" (AVX2) or "v4" (AVX-512): the instruction set the CPU ops run on.
const char* ln_cpu_isa();
// 1 if the CPU multiplies bf16 in hardware (AVX-512-BF16 or AMX).
int ln_cpu_has_bf16();
// Physical cores this process may run on.
int ln_cpu_physical_cores();
// 64-byte aligned memory, zeroed. LN_OUT_OF_MEMORY if there is none.
int ln_memory_allocate(int64_t device, int64_t bytes, int64_t* address);
int ln_memory_free(int64_t device, int64_t address, int64_t bytes);
int ln_memory_fill(int64_t device, int64_t address, int32_t byte_value, int64_t bytes);
// Copies between the host and the device (host addresses are plain pointers). On return the host
// memory may be used again; a download has waited for all that was asked of the device before.
int ln_memory_upload(int64_t device, int64_t to, int64_t from_host, int64_t bytes);
int ln_memory_download(int64_t device, int64_t to_host, int64_t from, int64_t bytes);
// Copies within the device, in order with the ops.
int ln_memory_copy(int64_t device, int64_t to, int64_t from, int64_t bytes);
// Copies host memory of ln_host_allocate beside the ops that run; ops after ln_memory_join see it.
// Until they have run, neither side may be touched.
int ln_memory_ahead(int64_t device, int64_t to, int64_t from_host, int64_t bytes);
int ln_memory_join(int64_t device);
// Host memory that the device copies from directly (pinned).
int ln_host_allocate(int64_t device, int64_t bytes, int64_t* address);
int ln_host_free(int64_t device, int64_t address, int64_t bytes);
// Waits until all that was asked of the device has been done; says what went wrong in it.
int ln_device_wait(int64_t device);
// While `on`, each kernel is waited for, so that a fault names the kernel. Nothing on the CPU.
int ln_device_watch(int64_t device, int32_t on);
// Between begin and end ops are written down instead of run; ln_capture_launch runs them all as one
// graph, again and again. LN_UNSUPPORTED on the CPU.
int ln_capture_begin(int64_t device);
int ln_capture_end(int64_t device, int64_t* graph);
int ln_capture_launch(int64_t device, int64_t graph);
int ln_capture_free(int64_t device, int64_t graph);
// Maps a whole file read-only into host memory.
int ln_file_map(const char* path, int64_t* address, int64_t* bytes);
// LN_FAILED if part of it could not be read since, as when the file shrank: zeros were read
// instead.
int ln_file_check(int64_t address);
int ln_file_unmap(int64_t address, int64_t bytes);
// Gives back the memory of whole pages within a mapped range; they are read again when touched.
int ln_file_release(int64_t address, int64_t bytes);
// Quantizes f32 to NF4 as bitsandbytes does, on the host: absmax of 64, nearest values; the scales
// less their mean likewise in blocks of 256. A long matrix is done piece by piece: first the codes
// [n / 2] and scales [n / 64] of n numbers of it, where they belong in dst and among its scales;
// then what all of its scales give. Together they overwrite dst, of ln_nf4_bytes(n) bytes.
int ln_nf4_codes(int64_t src, int64_t codes, int64_t scales, int64_t n, int32_t threads);
int ln_nf4_scales(int64_t scales, int64_t dst, int64_t n);
int64_t ln_nf4_bytes(int64_t n);
// bitsandbytes' dynamic 8-bit values in rising order: 256 of both signs, and 256 from 0 on.
void ln_dynamic_codes(float* both_signs, float* positive);
// Bytes of scratch that oneDNN's primitives have asked of this device so far.
int64_t ln_gemm_scratch_bytes(int64_t device);
