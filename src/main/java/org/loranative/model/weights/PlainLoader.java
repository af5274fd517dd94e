package org.loranative.model.weights;

import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.util.Optional;
import java.util.stream.LongStream;
import org.loranative.StoppedException;
import org.loranative.Stopping;
import org.loranative.device.CpuDevice;
import org.loranative.device.Device;
import org.loranative.device.HostBuffer;
import org.loranative.device.LoraOps;
import org.loranative.graph.Value;
import org.loranative.io.DType;

/** Brings tensors onto a device as plain numbers, whatever their file holds them in. */
final class PlainLoader {
  /** Numbers that are converted at once: whole blocks of every type. */
  static final long PIECE = 1 << 23;

  private final Device device;

  PlainLoader(Device device) {
    this.device = device;
  }

  /**
   * @param from host address of the tensor in its mapped file
   * @param v the weight, as the device is to hold it
   * @param to its address there
   */
  void load(Reading r, long from, Value v, long to) {
    if (r.isMadeOnHost()) {
      onHost(r, from, v, to);
      arrange(r, v, to);
      return;
    }
    DType stored = r.stored();
    if (r.rows().isSame()) {
      dequantize(from, stored, to, v.dtype(), r.entry().elements());
    } else {
      long columns = r.entry().columns();
      long rowBytes = stored.bytes(columns);
      r.rowsInOrder(
          rowBytes,
          (ours, file, bytes) ->
              dequantize(
                  from + file,
                  stored,
                  to + ours / rowBytes * v.dtype().bytes(columns),
                  v.dtype(),
                  bytes / rowBytes * columns));
    }
    arrange(r, v, to);
  }

  /** Puts what is on the device in the order that it is used in, and makes of it what it is. */
  private void arrange(Reading r, Value v, long to) {
    if (r.isConvolution()) {
      // Images are NHWC: [O, I, kernel, kernel] becomes [O, kernel, kernel, I].
      long taps = r.entry().shape().get(2) * r.entry().shape().get(3);
      exchange(r.entry().shape().get(0), r.entry().shape().get(1), taps, v, to);
    }
    if (r.transposed()) {
      exchange(1, r.entry().shape().get(0), r.entry().shape().get(1), v, to);
    }
    if (!r.columns().isSame()) {
      try (HostBuffer file = new HostBuffer(v.bytes());
          HostBuffer ours = new HostBuffer(v.bytes())) {
        device.download(file, to, v.bytes());
        r.columnsInOrder(file.view(), ours.view(), v.dtype());
        device.upload(to, ours, v.bytes());
      }
    }
    if (!r.formula().isPlain()) {
      assert v.dtype() == DType.F32;
      try (HostBuffer host = new HostBuffer(v.bytes())) {
        device.download(host, to, v.bytes());
        for (int i = 0; i < v.bytes(); i += 4) {
          host.view().putFloat(i, r.formula().of(host.view().getFloat(i)));
        }
        device.upload(to, host, v.bytes());
      }
    }
  }

  /** In f32 on the host, so that a number times its scale is rounded once; rows at a time. */
  private void onHost(Reading r, long from, Value v, long to) {
    long columns = Math.max(1, r.entry().columns());
    long rows = r.entry().elements() / columns;
    int most = (int) Math.min(rows, Math.max(1, PIECE / columns));
    int size = v.dtype().bytesPerBlock;
    try (CpuDevice host = new CpuDevice(CpuDevice.physicalCores());
        HostBuffer wide = new HostBuffer(most * columns * Float.BYTES);
        HostBuffer own = new HostBuffer(most * columns * size)) {
      for (long row = 0; row < rows; row += most) {
        int count = (int) Math.min(most, rows - row);
        int n = Math.toIntExact(count * columns);
        numbers(r, from, row, count, wide, host);
        host.check(
            LoraOps.ln_dequantize_fwd(
                host.handle(),
                wide.address(),
                DType.F32.code,
                own.address(),
                v.dtype().code,
                0,
                1,
                n,
                n));
        device.upload(to + v.dtype().bytes(row * columns), own, v.dtype().bytes(n));
      }
    }
  }

  private static void numbers(
      Reading r, long from, long row, int rows, HostBuffer to, CpuDevice host) {
    long columns = Math.max(1, r.entry().columns());
    int n = Math.toIntExact(rows * columns);
    FloatBuffer numbers = to.view().asFloatBuffer();
    Optional<RareBlocks> rare = RareBlocks.named(r.entry().type());
    if (rare.isPresent()) {
      float[] x = new float[n];
      r.rareRows(rare.get(), row, rows, x);
      numbers.put(0, x);
    } else {
      assert r.rows().isSame();
      new PlainLoader(host)
          .dequantize(
              from + r.stored().bytes(row * columns), r.stored(), to.address(), DType.F32, n);
    }
    r.scale().multiply(numbers, row * columns, n);
  }

  /** Numbers of the host's. */
  void put(float[] numbers, DType type, long to) {
    try (CpuDevice host = new CpuDevice(CpuDevice.physicalCores());
        HostBuffer wide = new HostBuffer((long) numbers.length * Float.BYTES);
        HostBuffer own = new HostBuffer(type.bytes(numbers.length))) {
      wide.view().asFloatBuffer().put(numbers);
      new PlainLoader(host)
          .dequantize(wide.address(), DType.F32, own.address(), type, numbers.length);
      device.upload(to, own, type.bytes(numbers.length));
    }
  }

  /** Turns [outer, first, second] into [outer, second, first]. */
  private void exchange(long outer, long first, long second, Value v, long at) {
    int size = v.dtype().bytesPerBlock;
    try (HostBuffer file = new HostBuffer(v.bytes());
        HostBuffer ours = new HostBuffer(v.bytes())) {
      device.download(file, at, v.bytes());
      ByteBuffer from = file.view();
      ByteBuffer to = ours.view();
      for (long o = 0; o < outer; o++) {
        long block = o;
        LongStream.range(0, second)
            .parallel()
            .forEach(
                j -> {
                  for (long i = 0; i < first; i++) {
                    int source = (int) (((block * first + i) * second + j) * size);
                    int target = (int) (((block * second + j) * first + i) * size);
                    if (size == 4) {
                      to.putInt(target, from.getInt(source));
                    } else {
                      to.putShort(target, from.getShort(source));
                    }
                  }
                });
      }
      device.upload(at, ours, v.bytes());
    }
  }

  /**
   * Piece by piece, so that the longest tensor can be stopped too.
   *
   * @throws StoppedException if the work is to end
   */
  void dequantize(long from, DType stored, long to, DType type, long elements) {
    // NF4 keeps its scales behind all of its codes, so it is no row of pieces.
    long piece = stored == DType.NF4 ? elements : Math.min(elements, PIECE);
    for (long at = 0; at < elements; at += piece) {
      if (Stopping.isAsked()) {
        throw new StoppedException("Stopped while the base was loaded; --resume goes on.");
      }
      long n = Math.min(piece, elements - at);
      long source = from + (at == 0 ? 0 : stored.bytes(at));
      long target = to + (at == 0 ? 0 : type.bytes(at));
      device.check(
          LoraOps.ln_dequantize_fwd(
              device.handle(), source, stored.code, target, type.code, 0, 1, n, n));
    }
  }
}
