package org.loranative.model.weights;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.loranative.UserException;
import org.loranative.device.CpuDevice;
import org.loranative.device.HostBuffer;
import org.loranative.device.LoraOps;
import org.loranative.device.MappedFile;
import org.loranative.io.DType;
import org.loranative.io.TensorEntry;

/**
 * Numbers of a checkpoint's tensors a few rows at a time, as the file orders them: for what streams
 * through memory. A tensor of one dimension is one row.
 */
public final class StoredRows implements AutoCloseable {
  private static final int COPIED = 1 << 20;

  private final CpuDevice host = new CpuDevice(CpuDevice.physicalCores());
  private final Map<Path, MappedFile> files = new LinkedHashMap<>();
  private final Map<String, Pieces> pieces;
  private final Float8Scales scales;
  private Optional<Assembled> assembled = Optional.empty();

  /** A matrix whose pieces were put together, kept for its next rows. */
  private record Assembled(String name, HostBuffer bytes) {}

  StoredRows(Map<String, Pieces> pieces, Float8Scales scales) {
    this.pieces = pieces;
    this.scales = scales;
  }

  /** Whether a type's numbers can be read, but are held and written as other types only. */
  public static boolean isRare(String type) {
    return RareBlocks.named(type).isPresent();
  }

  /** Reads rows {@code first} to {@code first + count - 1} as f32. */
  public void read(TensorEntry entry, long first, int count, float[] to) {
    long columns = entry.columns();
    long n = count * columns;
    Optional<RareBlocks> rare = RareBlocks.named(entry.type());
    if (rare.isPresent()) {
      rare.get().read(entry, first * columns, Math.toIntExact(n), to);
      return;
    }
    DType type = typeOf(entry);
    long from = address(entry);
    try (HostBuffer numbers = new HostBuffer(n * 4)) {
      host.check(
          LoraOps.ln_dequantize_fwd(
              host.handle(),
              from,
              type.code,
              numbers.address(),
              DType.F32.code,
              first * columns,
              1,
              n,
              n));
      numbers.view().asFloatBuffer().get(to, 0, Math.toIntExact(n));
    }
    scales.of(entry).multiply(FloatBuffer.wrap(to), first * columns, Math.toIntExact(n));
  }

  private DType typeOf(TensorEntry entry) {
    return pieces.containsKey(entry.name())
        ? pieces.get(entry.name()).type()
        : DType.named(entry.type()).orElseThrow();
  }

  /** Where a tensor is in memory, put together where it is in pieces. */
  private long address(TensorEntry entry) {
    return pieces.containsKey(entry.name())
        ? assembled(entry).bytes().address()
        : files
            .computeIfAbsent(entry.file(), MappedFile::new)
            .address(entry.offset(), entry.bytes());
  }

  /** The bytes of rows {@code first} to {@code first + count - 1}, of pieces put together. */
  public byte[] bytes(TensorEntry entry, long first, int count) {
    long rowBytes = typeOf(entry).bytes(entry.columns());
    byte[] bytes = new byte[Math.toIntExact(count * rowBytes)];
    try (HostBuffer rows = new HostBuffer(bytes.length)) {
      host.copy(rows.address(), address(entry) + first * rowBytes, bytes.length);
      rows.view().get(bytes);
    }
    return bytes;
  }

  private Assembled assembled(TensorEntry entry) {
    if (assembled.isEmpty() || !assembled.get().name().equals(entry.name())) {
      forget();
      Pieces own = pieces.get(entry.name());
      HostBuffer bytes = new HostBuffer(own.type().bytes(entry.elements()));
      own.assemble(bytes.view());
      assembled = Optional.of(new Assembled(entry.name(), bytes));
    }
    return assembled.get();
  }

  private void forget() {
    assembled.ifPresent(a -> a.bytes().close());
    assembled = Optional.empty();
  }

  /** To be called when a tensor's rows have been read: its pages leave memory. */
  public void done(TensorEntry entry) {
    MappedFile file = files.get(entry.file());
    if (file != null) {
      file.requireWhole();
      file.release(entry.offset(), entry.bytes());
    }
    forget();
  }

  /** Writes a tensor's bytes as they are. */
  public static void copy(TensorEntry entry, OutputStream out) throws IOException {
    ByteBuffer piece = ByteBuffer.allocate((int) Math.min(COPIED, Math.max(1, entry.bytes())));
    try (FileChannel channel = FileChannel.open(entry.file())) {
      for (long at = 0; at < entry.bytes(); ) {
        piece.clear().limit((int) Math.min(piece.capacity(), entry.bytes() - at));
        int n = channel.read(piece, entry.offset() + at);
        if (n < 0) {
          throw new UserException(entry.file() + " was cut off while it was read.");
        }
        out.write(piece.array(), 0, n);
        at += n;
      }
    }
  }

  @Override
  public void close() {
    forget();
    files.values().forEach(MappedFile::close);
    host.close();
  }
}
