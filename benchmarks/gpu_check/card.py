"""NVIDIA's driver library through ctypes: memory, copies, launches by name."""
import ctypes as C

import numpy as np

# How all tensor maps lie: cuTensorMapEncode*.
UINT16, NOT_INTERLEAVED, SWIZZLE_128, PROMOTE_256, ZEROS = 1, 0, 3, 3, 0
CAPABILITY_MAJOR, CAPABILITY_MINOR, MULTIPROCESSORS = 75, 76, 16
MOST_DYNAMIC_SHARED_BYTES, SHARED_BYTES_UNASKED = 8, 48 << 10
LEAST_BYTES = 16
NAN = 0xff  # what memory holds at first: NaN in every float type


class CardError(Exception):
    pass


class Card:
    def __init__(self, library, images=()):
        """`images`: a function from the capability, as in "90", to the cubins to load."""
        self.driver = C.CDLL(library)
        self.call("cuInit", 0)
        device, context = C.c_int(), C.c_void_p()
        self.call("cuDeviceGet", C.byref(device), 0)
        self.device = device
        self.call("cuDevicePrimaryCtxRetain", C.byref(context), device)
        self.call("cuCtxSetCurrent", context)
        self.stream = C.c_void_p()
        self.call("cuStreamCreate", C.byref(self.stream), 1)
        self.capability = f"{self.attribute(CAPABILITY_MAJOR)}{self.attribute(CAPABILITY_MINOR)}"
        self.modules, self.functions = [], {}
        for file in images:
            if f".sm_{self.capability}." not in file.name:
                continue
            module = C.c_void_p()
            self.call("cuModuleLoadData", C.byref(module), file.read_bytes())
            self.modules.append(module)
        if not self.modules:
            self.modules.append(C.c_void_p())  # the emulator's kernels are in its library

    def call(self, name, *arguments):
        code = getattr(self.driver, name)(*arguments)
        if code:
            text = C.c_char_p()
            self.driver.cuGetErrorString(code, C.byref(text))
            raise CardError(f"{name}: {code} {(text.value or b'').decode()}")

    def attribute(self, number):
        value = C.c_int()
        self.call("cuDeviceGetAttribute", C.byref(value), number, self.device)
        return value.value

    def name(self):
        text = C.create_string_buffer(200)
        self.call("cuDeviceGetName", text, 200, self.device)
        return text.value.decode()

    def empty(self, size):
        size = max(size, LEAST_BYTES)
        p = C.c_uint64()
        self.call("cuMemAlloc_v2", C.byref(p), C.c_size_t(size))
        self.call("cuMemsetD8Async", p, C.c_ubyte(NAN), C.c_size_t(size), self.stream)
        return p.value

    def put(self, x):
        x = np.ascontiguousarray(x)
        p = self.empty(x.nbytes)
        self.call("cuMemcpyHtoDAsync_v2", C.c_uint64(p), x.ctypes.data_as(C.c_void_p),
                  C.c_size_t(x.nbytes), self.stream)
        self.wait()
        return p

    def get(self, p, shape, dtype):
        x = np.empty(shape, dtype)
        self.call("cuMemcpyDtoHAsync_v2", x.ctypes.data_as(C.c_void_p), C.c_uint64(p),
                  C.c_size_t(x.nbytes), self.stream)
        self.wait()
        return x

    def wait(self):
        self.call("cuStreamSynchronize", self.stream)

    def function(self, name):
        if name not in self.functions:
            f = C.c_void_p()
            for module in self.modules:
                if self.driver.cuModuleGetFunction(C.byref(f), module, name.encode()) == 0:
                    break
            else:
                raise CardError(f"no kernel {name} for sm_{self.capability}")
            self.functions[name] = f
        return self.functions[name]

    def launch(self, name, grid, threads, shared, *arguments):
        """Addresses may be given as plain integers; all else as ctypes."""
        f = self.function(name)
        if shared > SHARED_BYTES_UNASKED:
            self.call("cuFuncSetAttribute", f, MOST_DYNAMIC_SHARED_BYTES, shared)
        held = [a if isinstance(a, (C.Structure, C.Array, C._SimpleCData)) else C.c_uint64(a)
                for a in arguments]
        pointers = (C.c_void_p * len(held))(*[C.cast(C.pointer(a), C.c_void_p) for a in held])
        sizes = (*grid, 1, 1)[:3]
        self.call("cuLaunchKernel", f, *map(C.c_uint, sizes), C.c_uint(threads), C.c_uint(1),
                  C.c_uint(1), C.c_uint(shared), self.stream, pointers, None)

    def map_matrix(self, where, matrix, rows, columns, stride, box_rows):
        """A tensor map at `where` of 16-bit numbers, for copies of 64 columns and box_rows rows."""
        self.map_tensor(where, matrix, (columns, rows), (stride * 2,), (64, box_rows))

    def map_heads(self, where, x, rows, heads, d, box_rows):
        """x [rows, heads, d], for copies of 64 channels of box_rows rows of one head."""
        self.map_tensor(where, x, (d, heads, rows), (d * 2, heads * d * 2), (64, 1, box_rows))

    def map_patches(self, where, x, shape, pad, pixels):
        """Images x [B, H, W, C], for copies of 64 channels of `pixels` pixels under each tap of a
        kernel that begins at -pad, as often as there are pixels."""
        b, h, w, c = shape
        self.call("cuTensorMapEncodeIm2col", C.c_void_p(where), UINT16, C.c_uint32(4),
                  C.c_void_p(x), (C.c_uint64 * 4)(c, w, h, b),
                  (C.c_uint64 * 3)(c * 2, w * c * 2, h * w * c * 2), (C.c_int * 2)(-pad, -pad),
                  (C.c_int * 2)(-pad, -pad), C.c_uint32(64), C.c_uint32(pixels),
                  (C.c_uint32 * 4)(1, 1, 1, 1), NOT_INTERLEAVED, SWIZZLE_128, PROMOTE_256, ZEROS)

    def map_tensor(self, where, x, sizes, pitch, box):
        rank = len(sizes)
        self.call("cuTensorMapEncodeTiled", C.c_void_p(where), UINT16, C.c_uint32(rank),
                  C.c_void_p(x), (C.c_uint64 * rank)(*sizes), (C.c_uint64 * (rank - 1))(*pitch),
                  (C.c_uint32 * rank)(*box), (C.c_uint32 * rank)(*[1] * rank), NOT_INTERLEAVED,
                  SWIZZLE_128, PROMOTE_256, ZEROS)

    def milliseconds(self, run, repeats=20, rounds=5):
        """The median time of one call, by events on the stream."""
        begin, end = C.c_void_p(), C.c_void_p()
        self.call("cuEventCreate", C.byref(begin), 0)
        self.call("cuEventCreate", C.byref(end), 0)
        times = []
        for _ in range(rounds + 1):  # the first warms up
            self.call("cuEventRecord", begin, self.stream)
            for _ in range(repeats):
                run()
            self.call("cuEventRecord", end, self.stream)
            self.call("cuEventSynchronize", end)
            took = C.c_float()
            self.call("cuEventElapsedTime", C.byref(took), begin, end)
            times.append(took.value / repeats)
        return sorted(times[1:])[rounds // 2]
