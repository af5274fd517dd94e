package org.loranative.testing;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Map;
import org.loranative.io.Safetensors;
import org.loranative.io.TensorEntry;

/** Files made by src/test/python/make_golden.py. */
public final class Golden {
  public static final Path FOLDER = Path.of("src/test/resources/golden");

  private final Map<String, TensorEntry> tensors;

  public Golden(Path file) {
    tensors = Safetensors.read(file).tensors();
  }

  public Map<String, TensorEntry> tensors() {
    return tensors;
  }

  public float[] floats(String name) {
    TensorEntry entry = tensors.get(name);
    float[] values = new float[Math.toIntExact(entry.elements())];
    Safetensors.data(entry).asFloatBuffer().get(values);
    return values;
  }

  public int[] ints(String name) {
    TensorEntry entry = tensors.get(name);
    int[] values = new int[Math.toIntExact(entry.elements())];
    Safetensors.data(entry).asIntBuffer().get(values);
    return values;
  }

  public ByteBuffer bytes(String name) {
    return Safetensors.data(tensors.get(name));
  }
}
