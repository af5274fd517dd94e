package org.loranative.model.weights;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Map;
import java.util.SortedMap;
import java.util.function.Predicate;
import org.loranative.UserException;
import org.loranative.graph.NotFinite;
import org.loranative.io.DType;
import org.loranative.io.TensorEntry;

/** What a checkpoint's bytes on disk tell, without loading it. */
final class StoredNumbers {
  private StoredNumbers() {}

  /**
   * Of names, shapes and the beginning of every tensor, which tells a checkpoint from another
   * without reading all of it.
   */
  static String fingerprint(SortedMap<String, TensorEntry> tensors) {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      for (Map.Entry<String, TensorEntry> t : tensors.entrySet()) {
        TensorEntry entry = t.getValue();
        digest.update((t.getKey() + entry.shape() + entry.type()).getBytes(StandardCharsets.UTF_8));
        digest.update(beginning(entry));
      }
      return HexFormat.of().formatHex(digest.digest());
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  private static ByteBuffer beginning(TensorEntry entry) {
    try (FileChannel channel = FileChannel.open(entry.file())) {
      ByteBuffer beginning = ByteBuffer.allocate((int) Math.min(1024, entry.bytes()));
      channel.read(beginning, entry.offset());
      return beginning.flip();
    } catch (IOException e) {
      throw unreadable(entry, e);
    }
  }

  /** Whether no number of a tensor is NaN or infinite; of blocks it is not looked for. */
  static boolean areFinite(TensorEntry entry) {
    return switch (entry.type()) {
      case "F32", "F16", "BF16" -> {
        DType dtype = DType.named(entry.type()).orElseThrow();
        yield everyPiece(entry, piece -> NotFinite.isFinite(piece, dtype));
      }
      case "F8_E4M3" -> everyPiece(entry, StoredNumbers::hasNoNan);
      default -> true;
    };
  }

  /** E4M3 has no infinity, and NaN where all bits but the sign are set. */
  private static boolean hasNoNan(ByteBuffer codes) {
    while (codes.hasRemaining()) {
      if ((codes.get() & 0x7f) == 0x7f) {
        return false;
      }
    }
    return true;
  }

  private static boolean everyPiece(TensorEntry entry, Predicate<ByteBuffer> holds) {
    ByteBuffer piece = ByteBuffer.allocate(1 << 20).order(ByteOrder.LITTLE_ENDIAN);
    try (FileChannel channel = FileChannel.open(entry.file())) {
      for (long at = 0; at < entry.bytes(); at += piece.capacity()) {
        piece.clear().limit((int) Math.min(piece.capacity(), entry.bytes() - at));
        while (piece.hasRemaining()
            && channel.read(piece, entry.offset() + at + piece.position()) >= 0) {
          // until it is full
        }
        if (!holds.test(piece.flip())) {
          return false;
        }
      }
      return true;
    } catch (IOException e) {
      throw unreadable(entry, e);
    }
  }

  private static UserException unreadable(TensorEntry entry, IOException e) {
    return new UserException(entry.file() + " cannot be read: " + e.getMessage(), e);
  }
}
