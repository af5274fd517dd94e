package org.loranative.testing;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.loranative.io.DType;
import org.loranative.io.Safetensors;
import org.loranative.io.TensorEntry;

/** Safetensors files like others, but for some tensors; and folders likewise. */
public final class TensorFiles {
  private final Map<String, Safetensors.Tensor> tensors = new LinkedHashMap<>();
  private final Map<String, String> metadata = new LinkedHashMap<>();

  /** All of a file, with tensors renamed; "" leaves one away. */
  public static TensorFiles like(Path file, UnaryOperator<String> rename) {
    TensorFiles copy = new TensorFiles();
    for (TensorEntry e : Safetensors.read(file).tensors().values()) {
      String name = rename.apply(e.name());
      if (!name.isEmpty()) {
        DType type = DType.named(e.type()).orElseThrow();
        copy.tensors.put(name, new Safetensors.Tensor(name, type, e.shape(), Safetensors.data(e)));
      }
    }
    return copy;
  }

  public static TensorFiles like(Path file) {
    return like(file, n -> n);
  }

  public static TensorFiles empty() {
    return new TensorFiles();
  }

  /** With a tensor of these numbers, in the place of one of that name. */
  public TensorFiles with(String name, List<Long> shape, float... values) {
    ByteBuffer data = ByteBuffer.allocate(values.length * 4).order(ByteOrder.LITTLE_ENDIAN);
    data.asFloatBuffer().put(values);
    tensors.put(name, new Safetensors.Tensor(name, DType.F32, shape, data));
    return this;
  }

  public TensorFiles withMetadata(String key, String value) {
    metadata.put(key, value);
    return this;
  }

  public Path write(Path file) {
    try {
      Files.createDirectories(file.toAbsolutePath().getParent());
      Safetensors.write(file, new ArrayList<>(tensors.values()), metadata);
      return file;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** A copy of a folder. */
  public static Path copy(Path from, Path to) throws IOException {
    try (Stream<Path> files = Files.walk(from)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        Path copy = to.resolve(from.relativize(file).toString());
        Files.createDirectories(copy.getParent());
        Files.copy(file, copy);
      }
    }
    return to;
  }
}
