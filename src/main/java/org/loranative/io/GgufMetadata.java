package org.loranative.io;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * A GGUF's metadata, to be written: as another file has it, or put together. The last of a key
 * stands in the place of the first.
 */
public final class GgufMetadata {
  /** Value types of ggml's docs/gguf.md. */
  enum Type {
    UINT8(0),
    INT8(1),
    UINT16(2),
    INT16(3),
    UINT32(4),
    INT32(5),
    FLOAT32(6),
    BOOL(7),
    STRING(8),
    ARRAY(9),
    UINT64(10),
    INT64(11),
    FLOAT64(12);

    final int id;

    Type(int id) {
      this.id = id;
    }

    static Type of(int id) {
      return Stream.of(values()).filter(t -> t.id == id).findFirst().orElseThrow();
    }
  }

  /** As the file holds it behind its key: type and bytes. */
  record Entry(Type type, byte[] bytes, Object value) {}

  private final Map<String, Entry> entries = new LinkedHashMap<>();

  void put(String key, Entry entry) {
    entries.put(key, entry);
  }

  public GgufMetadata string(String key, String text) {
    put(key, new Entry(Type.STRING, string(text), text));
    return this;
  }

  public GgufMetadata uint32(String key, long n) {
    put(key, new Entry(Type.UINT32, little(4).putInt((int) n).array(), n));
    return this;
  }

  public GgufMetadata float32(String key, double x) {
    put(key, new Entry(Type.FLOAT32, little(4).putFloat((float) x).array(), (double) (float) x));
    return this;
  }

  public GgufMetadata bool(String key, boolean is) {
    put(key, new Entry(Type.BOOL, new byte[] {(byte) (is ? 1 : 0)}, is));
    return this;
  }

  public GgufMetadata strings(String key, List<String> texts) {
    List<byte[]> all = texts.stream().map(GgufMetadata::string).toList();
    ByteBuffer to = array(Type.STRING, texts.size(), all.stream().mapToInt(b -> b.length).sum());
    all.forEach(to::put);
    put(key, new Entry(Type.ARRAY, to.array(), texts));
    return this;
  }

  public GgufMetadata int32s(String key, List<Integer> numbers) {
    ByteBuffer to = array(Type.INT32, numbers.size(), 4 * numbers.size());
    numbers.forEach(to::putInt);
    put(key, new Entry(Type.ARRAY, to.array(), numbers));
    return this;
  }

  public GgufMetadata bools(String key, List<Boolean> are) {
    ByteBuffer to = array(Type.BOOL, are.size(), are.size());
    are.forEach(is -> to.put((byte) (is ? 1 : 0)));
    put(key, new Entry(Type.ARRAY, to.array(), are));
    return this;
  }

  public GgufMetadata float32s(String key, List<Float> numbers) {
    ByteBuffer to = array(Type.FLOAT32, numbers.size(), 4 * numbers.size());
    numbers.forEach(to::putFloat);
    put(key, new Entry(Type.ARRAY, to.array(), numbers));
    return this;
  }

  /** Leaves out what {@code key} says. */
  public GgufMetadata without(String key) {
    entries.remove(key);
    return this;
  }

  /** As {@link Gguf#read} gives it. */
  public Map<String, Object> values() {
    Map<String, Object> values = new LinkedHashMap<>();
    entries.forEach((key, entry) -> values.put(key, entry.value()));
    return values;
  }

  int size() {
    return entries.size();
  }

  Map<String, Entry> entries() {
    return entries;
  }

  private static ByteBuffer array(Type of, int n, int bytes) {
    return little(12 + bytes).putInt(of.id).putLong(n);
  }

  static byte[] string(String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    return little(8 + bytes.length).putLong(bytes.length).put(bytes).array();
  }

  static ByteBuffer little(int bytes) {
    return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }
}
