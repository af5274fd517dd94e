package org.loranative.model.weights;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.loranative.UserException;
import org.loranative.io.DType;
import org.loranative.io.Safetensors;
import org.loranative.io.TensorEntry;

/**
 * A matrix that bitsandbytes has quantized to NF4, in the pieces that its checkpoints keep beside
 * {@code X.weight}: {@code absmax} (quantized again, or f32), {@code quant_map}, {@code
 * nested_absmax}, {@code nested_quant_map} and {@code quant_state.bitsandbytes__nf4} (JSON).
 *
 * @param name of the matrix
 * @param state what the JSON says
 * @param pieces all tensors of the checkpoint
 */
record Nf4Tensor(String name, JsonNode state, Map<String, TensorEntry> pieces) implements Pieces {
  private static final String STATE = ".quant_state.bitsandbytes__";
  private static final int SCALED = 64;
  private static final int NESTED = 256;

  /** The matrices of {@code entries} that are stored so, by name. */
  static Map<String, Nf4Tensor> find(Map<String, TensorEntry> entries) {
    Map<String, Nf4Tensor> found = new HashMap<>();
    for (String key : entries.keySet()) {
      int at = key.indexOf(STATE);
      if (at < 0) {
        continue;
      }
      TensorEntry entry = entries.get(key);
      if (!key.endsWith(STATE + "nf4")) {
        throw bad(entry, "is quantized as " + key.substring(at + STATE.length()));
      }
      String json = StandardCharsets.UTF_8.decode(Safetensors.data(entry)).toString();
      try {
        String name = key.substring(0, at);
        Nf4Tensor tensor = new Nf4Tensor(name, new ObjectMapper().readTree(json), entries);
        tensor.check();
        found.put(name, tensor);
      } catch (JsonProcessingException e) {
        throw bad(entry, "is not JSON");
      }
    }
    return found;
  }

  private static UserException bad(TensorEntry entry, String why) {
    return new UserException(
        String.format(
            "%s: %s %s; NF4 as bitsandbytes writes it (blocks of %d, their scales in blocks of %d)"
                + " can be read.",
            entry.file(), entry.name(), why, SCALED, NESTED));
  }

  private TensorEntry piece(String suffix) {
    TensorEntry entry = pieces.get(name + suffix);
    if (entry == null) {
      throw new UserException(
          pieces.get(name + STATE + "nf4").file() + " lacks the tensor " + name + suffix + ".");
    }
    return entry;
  }

  private boolean nested() {
    return pieces.containsKey(name + ".nested_absmax");
  }

  private void check() {
    TensorEntry bits = piece("");
    if (state.path("blocksize").asInt() != SCALED
        || nested() && state.path("nested_blocksize").asInt() != NESTED) {
      throw bad(bits, "has blocks of " + state.path("blocksize"));
    }
    long n = 1;
    for (long dim : shape()) {
      if (dim < 1 || dim > 1L << 32) {
        throw bad(bits, "has the shape " + shape());
      }
      n = Math.multiplyExact(n, dim);
    }
    require(bits, "U8", n / 2);
    if (n % SCALED != 0) {
      throw bad(bits, "has " + n + " numbers, no whole blocks");
    }
    long scales = n / SCALED;
    require(piece(".quant_map"), "F32", 16L * 4);
    if (nested()) {
      require(piece(".absmax"), "U8", scales);
      require(piece(".nested_absmax"), "F32", (scales + NESTED - 1) / NESTED * 4);
      require(piece(".nested_quant_map"), "F32", 256L * 4);
    } else {
      require(piece(".absmax"), "F32", scales * 4);
    }
  }

  private static void require(TensorEntry entry, String type, long bytes) {
    if (!entry.type().equals(type) || entry.bytes() != bytes) {
      throw bad(
          entry,
          String.format(
              "is %s of %d bytes instead of %s of %d", entry.type(), entry.bytes(), type, bytes));
    }
  }

  private List<Long> shape() {
    List<Long> shape = new ArrayList<>();
    state.path("shape").forEach(d -> shape.add(d.asLong()));
    return shape;
  }

  @Override
  public TensorEntry entry() {
    TensorEntry bits = piece("");
    return new TensorEntry(
        bits.name(), DType.NF4.name(), shape(), bits.file(), bits.offset(), bits.bytes());
  }

  /** NF4 where the scales are quantized again, as a device wants them; else f32. */
  @Override
  public DType type() {
    return nested() ? DType.NF4 : DType.F32;
  }

  @Override
  public boolean stay() {
    return false;
  }

  @Override
  public boolean holds(String other) {
    return other.startsWith(name + ".");
  }

  @Override
  public void assemble(ByteBuffer to) {
    if (nested()) {
      blocks(to);
    } else {
      numbers(to);
    }
  }

  /** As LN_NF4 of {@code lora_ops.h} lays them out. */
  private void blocks(ByteBuffer to) {
    TensorEntry bits = piece("");
    long n = bits.bytes() * 2;
    to.put(Safetensors.data(piece(".quant_map")));
    to.put(Safetensors.data(piece(".nested_quant_map")));
    to.putFloat((float) state.path("nested_offset").asDouble());
    to.putInt(0);
    to.putLong(n);
    to.put(Safetensors.data(bits));
    to.put(Safetensors.data(piece(".absmax")));
    while (to.position() % 4 != 0) {
      to.put((byte) 0);
    }
    to.put(Safetensors.data(piece(".nested_absmax")));
  }

  /** As f32: where the scales are plain, to be quantized again. */
  private void numbers(ByteBuffer to) {
    ByteBuffer bits = Safetensors.data(piece(""));
    ByteBuffer scales = Safetensors.data(piece(".absmax"));
    ByteBuffer code = Safetensors.data(piece(".quant_map"));
    for (int i = 0; i < bits.capacity(); i++) {
      int pair = bits.get(i) & 255;
      float scale = scales.getFloat(2 * i / SCALED * 4);
      to.putFloat(code.getFloat((pair >> 4) * 4) * scale);
      to.putFloat(code.getFloat((pair & 15) * 4) * scale);
    }
  }
}
