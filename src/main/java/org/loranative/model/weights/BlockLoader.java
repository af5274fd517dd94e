package org.loranative.model.weights;

import java.nio.ByteBuffer;
import java.util.Optional;
import java.util.stream.IntStream;
import org.loranative.device.CpuDevice;
import org.loranative.device.Device;
import org.loranative.device.HostBuffer;
import org.loranative.device.Memory;
import org.loranative.graph.Value;
import org.loranative.io.DType;
import org.loranative.io.Safetensors;

/**
 * Brings matrices in blocks onto a device: as the file has them, rows or columns in order, or
 * quantized here to NF4; and takes apart what a checkpoint keeps in pieces for a device that wants
 * plain numbers. One matrix is in host memory at a time.
 */
final class BlockLoader implements AutoCloseable {
  private final Device device;
  private Optional<CpuDevice> host = Optional.empty();

  BlockLoader(Device device) {
    this.device = device;
  }

  /**
   * @param from host address of the tensor in its mapped file
   * @param pieces where the checkpoint has it in such
   * @param v the matrix, as the device is to hold it
   * @param to its address there
   */
  void load(Reading r, long from, Optional<Pieces> pieces, Value v, long to) {
    if (pieces.isPresent()) {
      loadPieces(pieces.get(), v, to);
    } else if (v.dtype() == DType.NF4) {
      quantize(v, to, (host, numbers) -> new PlainLoader(host).load(r, from, inF32(v), numbers));
    } else if (v.dtype() == DType.FP8) {
      loadScaled(r, from, v, to);
    } else if (!r.columns().isSame()) {
      try (HostBuffer ours = new HostBuffer(v.bytes())) {
        r.columnsInOrder(Safetensors.data(r.entry()), ours.view(), v.dtype());
        device.upload(to, ours, v.bytes());
      }
    } else if (!r.rows().isSame()) {
      try (Memory rows = host().allocate(v.bytes())) {
        r.rowsInOrder(
            v.dtype().bytes(v.shape().last()),
            (ours, file, bytes) -> host().copy(rows.address() + ours, from + file, bytes));
        device.upload(to, rows.address(), v.bytes());
      }
    } else {
      device.upload(to, from, v.bytes());
    }
  }

  /** Brings the numbers of a matrix to an address in host memory, in f32. */
  interface Filling {
    void fill(CpuDevice host, long address);
  }

  /** Quantizes to NF4 the matrix that {@code filling} brings. */
  void quantize(Value v, long to, Filling filling) {
    try (Memory numbers = host().allocate(v.shape().size() * 4)) {
      filling.fill(host(), numbers.address());
      try (HostBuffer blocks = new HostBuffer(v.bytes())) {
        CpuDevice.quantizeNf4(numbers.address(), blocks, v.shape().size());
        device.upload(to, blocks, v.bytes());
      }
    }
  }

  Device device() {
    return device;
  }

  private void loadPieces(Pieces pieces, Value v, long to) {
    DType stored = pieces.type();
    long n = v.shape().size();
    try (HostBuffer all = new HostBuffer(stored.bytes(n))) {
      pieces.assemble(all.view());
      if (v.dtype() == stored) {
        device.upload(to, all, v.bytes());
      } else if (v.dtype() == DType.NF4) {
        quantize(
            v,
            to,
            (host, numbers) ->
                new PlainLoader(host).dequantize(all.address(), stored, numbers, DType.F32, n));
      } else {
        new PlainLoader(device).dequantize(all.address(), stored, to, v.dtype(), n);
      }
    }
  }

  /** Floats of 8 bits, each block behind its scale; some megabytes at a time. */
  private void loadScaled(Reading r, long from, Value v, long to) {
    assert r.rows().isSame() && r.columns().isSame();
    long all = v.shape().size();
    try (HostBuffer bits = new HostBuffer(Math.min(all, PlainLoader.PIECE));
        HostBuffer blocks = new HostBuffer(DType.FP8.bytes(Math.min(all, PlainLoader.PIECE)))) {
      for (long first = 0; first < all; first += PlainLoader.PIECE) {
        int count = (int) Math.min(all - first, PlainLoader.PIECE);
        host().copy(bits.address(), from + first, count);
        arrange(bits.view(), r.scale(), first, count, blocks.view());
        device.upload(to + DType.FP8.bytes(first), blocks, DType.FP8.bytes(count));
      }
    }
  }

  /**
   * Puts scales between numbers.
   *
   * @param first of the matrix's numbers in {@code bits}
   */
  private static void arrange(ByteBuffer bits, Scale scale, long first, int count, ByteBuffer to) {
    int each = DType.FP8.elementsPerBlock;
    IntStream.range(0, count / each)
        .parallel()
        .forEach(
            block -> {
              int at = block * DType.FP8.bytesPerBlock;
              to.putFloat(at, scale.at(first + (long) block * each));
              to.put(at + Float.BYTES, bits, block * each, each);
            });
  }

  private static Value inF32(Value v) {
    return new Value(v.id(), v.shape(), DType.F32, v.kind(), v.name());
  }

  private CpuDevice host() {
    if (host.isEmpty()) {
      host = Optional.of(new CpuDevice(CpuDevice.physicalCores()));
    }
    return host.get();
  }

  @Override
  public void close() {
    host.ifPresent(CpuDevice::close);
  }
}
