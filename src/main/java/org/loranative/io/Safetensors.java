package org.loranative.io;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.loranative.UserException;

/**
 * The safetensors format: u64 header length, JSON header, data. Reading trusts nothing: lengths,
 * shapes and offsets are checked against each other and the file before any is used.
 */
public final class Safetensors {
  /** The format's own limit on the header. */
  private static final long MAX_HEADER = 100_000_000;

  private static final JsonMapper JSON =
      JsonMapper.builder().enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION).build();

  private Safetensors() {}

  /** Sizes of elements, also of types that only {@code inspect} shows. */
  private static final Map<String, Integer> ELEMENT_BYTES =
      Map.ofEntries(
          Map.entry("F64", 8),
          Map.entry("F32", 4),
          Map.entry("F16", 2),
          Map.entry("BF16", 2),
          Map.entry("I64", 8),
          Map.entry("U64", 8),
          Map.entry("I32", 4),
          Map.entry("U32", 4),
          Map.entry("I16", 2),
          Map.entry("U16", 2),
          Map.entry("I8", 1),
          Map.entry("U8", 1),
          Map.entry("BOOL", 1),
          Map.entry("F8_E4M3", 1),
          Map.entry("F8_E5M2", 1));

  /** Reads the header of {@code file}. */
  public static TensorFile read(Path file) {
    LfsPointer.refuse(file);
    try (FileChannel channel = FileChannel.open(file)) {
      long size = channel.size();
      if (size < 8) {
        throw bad(file, "it is shorter than 8 bytes; the download may be incomplete");
      }
      long length = readFully(channel, 0, 8, file).getLong();
      if (length < 2 || length > MAX_HEADER || length > size - 8) {
        throw bad(
            file,
            "its header says it is "
                + length
                + " bytes long, which cannot be; it is a file of another kind, or damaged");
      }
      ByteBuffer header = readFully(channel, 8, (int) length, file);
      return parse(file, header.array(), 8 + length, size);
    } catch (IOException e) {
      throw new UserException(file + " cannot be read: " + e.getMessage(), e);
    }
  }

  private static TensorFile parse(Path file, byte[] header, long dataStart, long size) {
    JsonNode root;
    try {
      root = JSON.readTree(new String(header, StandardCharsets.UTF_8));
    } catch (JsonProcessingException e) {
      throw bad(file, "its header is not JSON: " + JsonFile.problem(e));
    }
    if (!(root instanceof ObjectNode)) {
      throw bad(file, "its header is not a JSON object");
    }
    Map<String, Object> metadata = new TreeMap<>();
    Map<String, TensorEntry> tensors = new LinkedHashMap<>();
    root.properties()
        .forEach(
            field -> {
              if (field.getKey().equals("__metadata__")) {
                field
                    .getValue()
                    .properties()
                    .forEach(m -> metadata.put(m.getKey(), m.getValue().asText()));
              } else {
                tensors.put(
                    field.getKey(), entry(file, field.getKey(), field.getValue(), dataStart, size));
              }
            });
    checkOverlap(file, tensors);
    return new TensorFile(tensors, metadata);
  }

  private static TensorEntry entry(
      Path file, String name, JsonNode node, long dataStart, long size) {
    JsonNode offsets = node.path("data_offsets");
    JsonNode dims = node.path("shape");
    if (!node.path("dtype").isTextual()
        || !dims.isArray()
        || offsets.size() != 2
        || !offsets.get(0).isIntegralNumber()
        || !offsets.get(1).isIntegralNumber()) {
      throw bad(file, "tensor \"" + name + "\" lacks dtype, shape or data_offsets");
    }
    String type = node.path("dtype").asText();
    Integer elementBytes = ELEMENT_BYTES.get(type);
    if (elementBytes == null) {
      throw bad(file, "tensor \"" + name + "\" has the unknown dtype " + type);
    }
    List<Long> shape = new ArrayList<>();
    long bytes = elementBytes;
    try {
      for (JsonNode dim : dims) {
        if (!dim.isIntegralNumber() || !dim.canConvertToLong() || dim.asLong() < 0) {
          throw bad(file, "tensor \"" + name + "\" has the dimension " + dim);
        }
        shape.add(dim.asLong());
        bytes = Math.multiplyExact(bytes, dim.asLong());
      }
    } catch (ArithmeticException e) {
      throw bad(file, "tensor \"" + name + "\" is larger than any file");
    }
    long begin = offsets.get(0).asLong();
    long end = offsets.get(1).asLong();
    if (begin < 0 || end < begin || end > size - dataStart) {
      throw bad(
          file, "tensor \"" + name + "\" lies outside the file; the download may be incomplete");
    }
    if (end - begin != bytes) {
      throw bad(
          file,
          String.format(
              "tensor \"%s\" of shape %s %s needs %d bytes, but its offsets give %d",
              name, shape, type, bytes, end - begin));
    }
    return new TensorEntry(name, type, shape, file, dataStart + begin, bytes);
  }

  private static void checkOverlap(Path file, Map<String, TensorEntry> tensors) {
    List<TensorEntry> sorted = new ArrayList<>(tensors.values());
    sorted.removeIf(t -> t.bytes() == 0);
    sorted.sort(Comparator.comparingLong(TensorEntry::offset));
    for (int i = 1; i < sorted.size(); i++) {
      TensorEntry before = sorted.get(i - 1);
      if (before.offset() + before.bytes() > sorted.get(i).offset()) {
        throw bad(
            file, "tensors \"" + before.name() + "\" and \"" + sorted.get(i).name() + "\" overlap");
      }
    }
  }

  private static UserException bad(Path file, String why) {
    return new UserException(file + " is not a valid safetensors file: " + why + ".");
  }

  private static ByteBuffer readFully(FileChannel channel, long at, int length, Path file)
      throws IOException {
    ByteBuffer buffer = ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
    while (buffer.hasRemaining()) {
      if (channel.read(buffer, at + buffer.position()) < 0) {
        throw bad(file, "it ends early");
      }
    }
    return buffer.flip();
  }

  /** Bytes of one tensor, read into a new little-endian buffer (for small files: adapters). */
  public static ByteBuffer data(TensorEntry tensor) {
    try (FileChannel channel = FileChannel.open(tensor.file())) {
      return readFully(channel, tensor.offset(), Math.toIntExact(tensor.bytes()), tensor.file());
    } catch (IOException e) {
      throw new UserException(tensor.file() + " cannot be read: " + e.getMessage(), e);
    }
  }

  /** A tensor to be written: {@code data} holds exactly its bytes, little-endian. */
  public record Tensor(String name, DType type, List<Long> shape, ByteBuffer data) {}

  /** Writes a file in one step; tensors in the given order, metadata keys sorted. */
  public static void write(Path file, List<Tensor> tensors, Map<String, String> metadata)
      throws IOException {
    stream(
        file,
        tensors.stream()
            .map(
                t ->
                    new TensorStream(
                        t.name(),
                        t.type().name(),
                        t.shape(),
                        t.data().remaining(),
                        out -> copy(t.data().duplicate(), out)))
            .toList(),
        metadata);
  }

  /** A tensor whose bytes are not its shape's would make the whole file unreadable. */
  private static void requireFit(TensorStream tensor) {
    long elements = tensor.shape().stream().reduce(1L, Math::multiplyExact);
    Integer size = ELEMENT_BYTES.get(tensor.type());
    if (size != null && elements * size != tensor.bytes()) {
      throw new IllegalStateException(
          String.format(
              "%s: %d bytes for %s %s",
              tensor.name(), tensor.bytes(), tensor.type(), tensor.shape()));
    }
  }

  /** Likewise tensors that are made as they are written. */
  public static void stream(Path file, List<TensorStream> tensors, Map<String, String> metadata)
      throws IOException {
    ObjectNode header = JSON.createObjectNode();
    if (!metadata.isEmpty()) {
      ObjectNode node = header.putObject("__metadata__");
      new TreeMap<>(metadata).forEach(node::put);
    }
    long offset = 0;
    for (TensorStream tensor : tensors) {
      requireFit(tensor);
      if (header.has(tensor.name())) {
        throw new IllegalStateException(tensor.name() + " twice");
      }
      ObjectNode node = header.putObject(tensor.name());
      node.put("dtype", tensor.type());
      tensor.shape().forEach(node.putArray("shape")::add);
      node.putArray("data_offsets").add(offset).add(offset + tensor.bytes());
      offset += tensor.bytes();
    }
    byte[] json = JSON.writeValueAsBytes(header);
    int padded = (json.length + 7) / 8 * 8;
    AtomicFiles.write(
        file,
        out -> {
          ByteBuffer length = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN);
          out.write(length.putLong(0, padded).array());
          out.write(json);
          out.write(" ".repeat(padded - json.length).getBytes(StandardCharsets.US_ASCII));
          for (TensorStream tensor : tensors) {
            tensor.writeTo(out);
          }
        });
  }

  private static void copy(ByteBuffer from, OutputStream out) throws IOException {
    byte[] chunk = new byte[1 << 16];
    while (from.hasRemaining()) {
      int n = Math.min(chunk.length, from.remaining());
      from.get(chunk, 0, n);
      out.write(chunk, 0, n);
    }
  }

  /**
   * A tensor's numbers as f32, in memory (for small ones).
   *
   * @throws UserException if it is none of F32, F16 and BF16
   */
  public static float[] floats(TensorEntry entry) {
    return numbers(entry).all();
  }

  /** Likewise, read where they lie when they are asked for. */
  public static Numbers numbers(TensorEntry entry) {
    return new StoredTensor(entry);
  }

  /**
   * Tensors of a folder: {@code model.safetensors}, or the shards its index names; else those of a
   * variant such as fp16.
   */
  public static TensorFile readFolder(Path folder, String stem) {
    Path single = folder.resolve(stem + ".safetensors");
    Path index = folder.resolve(stem + ".safetensors.index.json");
    if (!Files.isDirectory(folder)) {
      throw new UserException("The folder " + folder + " does not exist.");
    }
    if (!Files.exists(single) && !Files.exists(index)) {
      Path variant = Variants.find(folder, stem).orElseThrow(() -> noTensors(folder, single));
      boolean sharded = variant.toString().endsWith(".json");
      return sharded ? readShards(folder, variant) : read(variant);
    }
    return Files.exists(single) ? read(single) : readShards(folder, index);
  }

  private static UserException noTensors(Path folder, Path single) {
    String pickle =
        Variants.pickle(folder)
            .map(
                f ->
                    ", but "
                        + f.getFileName()
                        + ", a pickle, which can run any program when it is read, so it is refused."
                        + " Download the model's safetensors, or turn it into them (load it in"
                        + " Python and save_pretrained(FOLDER, safe_serialization=True))")
            .orElse("");
    return new UserException(
        folder
            + " holds neither "
            + single.getFileName()
            + " nor "
            + single.getFileName()
            + ".index.json"
            + pickle
            + ".");
  }

  private static TensorFile readShards(Path folder, Path index) {
    Map<String, TensorEntry> tensors = new LinkedHashMap<>();
    Map<String, TensorFile> shards = new TreeMap<>();
    JsonFile.read(index)
        .path("weight_map")
        .properties()
        .forEach(
            field -> {
              String shard = field.getValue().asText();
              if (!shard.matches("[^/\\\\\0]+") || shard.startsWith("..")) {
                throw new UserException(index + " names a shard outside its folder: " + shard);
              }
              if (!Files.exists(folder.resolve(shard))) {
                throw new UserException(
                    folder
                        + " lacks "
                        + shard
                        + ", which "
                        + index.getFileName()
                        + " names: download it too.");
              }
              TensorEntry entry =
                  shards
                      .computeIfAbsent(shard, s -> read(folder.resolve(s)))
                      .tensors()
                      .get(field.getKey());
              if (entry == null) {
                throw new UserException(
                    index + ": tensor \"" + field.getKey() + "\" is not in " + shard + ".");
              }
              tensors.put(field.getKey(), entry);
            });
    return new TensorFile(tensors, Map.of());
  }
}
