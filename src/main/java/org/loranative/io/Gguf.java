package org.loranative.io;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.loranative.UserException;

/**
 * GGUF, versions 2 and 3 (ggml's docs/gguf.md): metadata, tensor descriptions, data. Reading trusts
 * nothing; every length is checked against what is left of the file before it is used.
 */
public final class Gguf {
  static final int MAGIC = 0x46554747; // "GGUF", little-endian
  private static final int MAX_DIMS = 4;
  private static final int MAX_DEPTH = 4;

  private final Path file;
  private final FileChannel channel;
  private final long size;
  private final ByteBuffer window =
      ByteBuffer.allocate(1 << 16).order(ByteOrder.LITTLE_ENDIAN).limit(0);
  private final List<Field> fields = new ArrayList<>();
  private long windowStart;

  private Gguf(Path file, FileChannel channel) throws IOException {
    this.file = file;
    this.channel = channel;
    this.size = channel.size();
  }

  /**
   * Reads metadata and tensor descriptions of {@code file}; of one that was split, all parts,
   * whichever is named. Shapes come back row-major.
   */
  public static TensorFile read(Path file) {
    TensorFile one = readOne(file);
    return GgufParts.isPart(one) ? GgufParts.join(file, one, Gguf::readOne) : one;
  }

  private static TensorFile readOne(Path file) {
    LfsPointer.refuse(file);
    try (FileChannel channel = FileChannel.open(file)) {
      return new Gguf(file, channel).parse();
    } catch (IOException e) {
      throw new UserException(file + " cannot be read: " + e.getMessage(), e);
    }
  }

  /**
   * The metadata of {@code file} as it stands there, to be written into another; of a file that was
   * split, that of its first part, without what it says of the parts.
   */
  public static GgufMetadata metadata(Path file) {
    Path first = GgufParts.first(file);
    GgufMetadata metadata = new GgufMetadata();
    try (FileChannel channel = FileChannel.open(first)) {
      Gguf gguf = new Gguf(first, channel);
      gguf.parse();
      for (Field field : gguf.fields) {
        ByteBuffer bytes = ByteBuffer.allocate(Math.toIntExact(field.end() - field.start()));
        while (bytes.hasRemaining()
            && channel.read(bytes, field.start() + bytes.position()) >= 0) {}
        GgufMetadata.Type type = GgufMetadata.Type.of(field.type());
        metadata.put(field.key(), new GgufMetadata.Entry(type, bytes.array(), field.value()));
      }
    } catch (IOException e) {
      throw new UserException(first + " cannot be read: " + e.getMessage(), e);
    }
    List.of("split.no", "split.count", "split.tensors.count").forEach(metadata::without);
    return metadata;
  }

  /** Where a value of the metadata stands. */
  private record Field(String key, int type, long start, long end, Object value) {}

  private TensorFile parse() throws IOException {
    if (size < 24 || u32() != MAGIC) {
      throw bad("it does not begin with GGUF");
    }
    int version = u32();
    if (version != 2 && version != 3) {
      throw bad("version " + version + " is not supported (2 and 3 are)");
    }
    long tensorCount = count("tensors", 24);
    long metadataCount = count("metadata entries", 12);
    Map<String, Object> metadata = new LinkedHashMap<>();
    for (long i = 0; i < metadataCount; i++) {
      String key = string();
      int type = u32();
      long start = position();
      Object value = value(type, 0);
      metadata.put(key, value);
      fields.add(new Field(key, type, start, position(), value));
    }
    record Described(String name, GgmlType type, List<Long> shape, long offset) {}
    List<Described> described = new ArrayList<>();
    for (long i = 0; i < tensorCount; i++) {
      String name = string();
      int dims = u32();
      if (dims < 0 || dims > MAX_DIMS) {
        throw bad("tensor \"" + name + "\" has " + dims + " dimensions");
      }
      List<Long> shape = new ArrayList<>();
      for (int d = 0; d < dims; d++) {
        shape.add(u64());
      }
      Collections.reverse(shape); // ggml names the contiguous dimension first
      described.add(new Described(name, type(name, u32()), shape, u64()));
    }
    long alignment = 32;
    if (metadata.get("general.alignment") instanceof Long a) {
      if (a < 1 || a > 1 << 20 || Long.bitCount(a) != 1) {
        throw bad("general.alignment is " + a);
      }
      alignment = a;
    }
    long dataStart = (position() + alignment - 1) / alignment * alignment;
    Map<String, TensorEntry> tensors = new LinkedHashMap<>();
    for (Described t : described) {
      long bytes = bytes(t.name(), t.type(), t.shape());
      if (t.offset() < 0
          || t.offset() > size - dataStart
          || bytes > size - dataStart - t.offset()) {
        throw bad("tensor \"" + t.name() + "\" lies outside the file; the download may be cut off");
      }
      TensorEntry entry =
          new TensorEntry(
              t.name(), t.type().name(), t.shape(), file, dataStart + t.offset(), bytes);
      if (tensors.put(t.name(), entry) != null) {
        throw bad("tensor \"" + t.name() + "\" stands twice");
      }
    }
    return new TensorFile(tensors, metadata);
  }

  private GgmlType type(String name, int id) {
    return GgmlType.of(id)
        .orElseThrow(() -> bad("tensor \"" + name + "\" has the unknown type " + id));
  }

  private long bytes(String name, GgmlType type, List<Long> shape) {
    try {
      long elements = 1;
      for (long dim : shape) {
        if (dim < 1) {
          throw bad("tensor \"" + name + "\" has the dimension " + dim);
        }
        elements = Math.multiplyExact(elements, dim);
      }
      long row = shape.isEmpty() ? 1 : shape.get(shape.size() - 1);
      if (row % type.elements != 0) {
        throw bad("tensor \"" + name + "\": rows of " + row + " do not divide into " + type);
      }
      return Math.multiplyExact(elements / type.elements, (long) type.bytes);
    } catch (ArithmeticException e) {
      throw bad("tensor \"" + name + "\" is larger than any file");
    }
  }

  private Object value(int type, int depth) throws IOException {
    return switch (type) {
      case 0 -> (long) (take(1).get() & 0xff);
      case 1 -> (long) take(1).get();
      case 2 -> (long) (take(2).getShort() & 0xffff);
      case 3 -> (long) take(2).getShort();
      case 4 -> Integer.toUnsignedLong(u32());
      case 5 -> (long) u32();
      case 6 -> (double) take(4).getFloat();
      case 7 -> take(1).get() != 0;
      case 8 -> string();
      case 9 -> array(depth);
      case 10, 11 -> u64();
      case 12 -> take(8).getDouble();
      default -> throw bad("a metadata value has the unknown type " + type);
    };
  }

  private List<Object> array(int depth) throws IOException {
    if (depth >= MAX_DEPTH) {
      throw bad("metadata arrays are nested deeper than " + MAX_DEPTH);
    }
    int type = u32();
    long n = count("array elements", 1);
    List<Object> list = new ArrayList<>((int) Math.min(n, 1 << 16));
    for (long i = 0; i < n; i++) {
      list.add(value(type, depth + 1));
    }
    return list;
  }

  /** A count of things, each of which takes at least {@code least} bytes of the file. */
  private long count(String what, int least) throws IOException {
    long n = u64();
    if (n < 0 || n > (size - position()) / least) {
      throw bad("it claims " + Long.toUnsignedString(n) + " " + what + ", more than it can hold");
    }
    return n;
  }

  private String string() throws IOException {
    long length = count("bytes of a string", 1);
    if (length > 1 << 26) {
      throw bad("a string of " + length + " bytes is longer than any we know");
    }
    byte[] bytes = new byte[(int) length];
    for (int done = 0; done < bytes.length; ) {
      int n = Math.min(bytes.length - done, window.capacity());
      take(n).get(bytes, done, n);
      done += n;
    }
    return new String(bytes, StandardCharsets.UTF_8);
  }

  private int u32() throws IOException {
    return take(4).getInt();
  }

  private long u64() throws IOException {
    return take(8).getLong();
  }

  private long position() {
    return windowStart + window.position();
  }

  /** The window with at least {@code n} bytes (at most its capacity) ahead. */
  private ByteBuffer take(int n) throws IOException {
    if (window.remaining() < n) {
      long at = position();
      if (n > size - at) {
        throw bad("it ends early; the download may be cut off");
      }
      window.clear();
      windowStart = at;
      while (window.hasRemaining() && channel.read(window, at + window.position()) >= 0) {}
      window.flip();
      if (window.remaining() < n) {
        throw bad("it ends early; the download may be cut off");
      }
    }
    return window;
  }

  private UserException bad(String why) {
    return new UserException(file + " is not a valid GGUF file: " + why + ".");
  }
}
