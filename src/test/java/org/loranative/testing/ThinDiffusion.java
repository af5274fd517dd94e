package org.loranative.testing;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.loranative.io.DType;
import org.loranative.io.Safetensors;
import org.loranative.io.TensorEntry;

/**
 * The demo's image model with a quarter of its UNet's channels, for runs of which no picture is
 * looked at: the same layers and files at a tenth of the time.
 */
public final class ThinDiffusion {
  private static final Path WHOLE = Path.of("models/emoji-sd");
  private static final int PART = 4;

  private ThinDiffusion() {}

  /** Writes it into a folder. */
  public static Path write(Path folder) throws IOException {
    TensorFiles.copy(WHOLE, folder);
    Path weights = folder.resolve("unet/diffusion_pytorch_model.safetensors");
    List<Safetensors.Tensor> thin = new ArrayList<>();
    for (TensorEntry e : Safetensors.read(weights).tensors().values()) {
      thin.add(thin(e));
    }
    Files.delete(weights);
    Safetensors.write(weights, thin, Map.of());
    ObjectMapper json = new ObjectMapper();
    Path file = folder.resolve("unet/config.json");
    ObjectNode config = (ObjectNode) json.readTree(file.toFile());
    ArrayNode channels = json.createArrayNode();
    config.path("block_out_channels").forEach(c -> channels.add(c.asInt() / PART));
    config.set("block_out_channels", channels);
    config.put("norm_num_groups", config.path("norm_num_groups").asInt() / PART);
    config.put("attention_head_dim", 2); // diffusers' name for how many heads there are
    json.writeValue(file.toFile(), config);
    return folder;
  }

  /** The first of a tensor's channels. */
  private static Safetensors.Tensor thin(TensorEntry e) {
    List<Long> shape = new ArrayList<>(e.shape());
    for (int i = 0; i < Math.min(2, shape.size()); i++) {
      boolean latents = shape.get(i) == 4;
      boolean text = i == 1 && e.name().matches(".*attn2\\.to_[kv]\\.weight");
      if (!latents && !text) {
        shape.set(i, shape.get(i) / PART);
      }
    }
    DType type = DType.named(e.type()).orElseThrow();
    int bytes = (int) type.bytes(1);
    ByteBuffer all = Safetensors.data(e).duplicate().order(ByteOrder.LITTLE_ENDIAN);
    long count = shape.stream().reduce(1L, (a, b) -> a * b);
    ByteBuffer some = ByteBuffer.allocate((int) count * bytes).order(ByteOrder.LITTLE_ENDIAN);
    for (long i = 0; i < count; i++) {
      long rest = i;
      long at = 0;
      long step = 1;
      for (int d = shape.size() - 1; d >= 0; d--) {
        at += rest % shape.get(d) * step;
        rest /= shape.get(d);
        step *= e.shape().get(d);
      }
      for (int b = 0; b < bytes; b++) {
        some.put(all.get(all.position() + (int) at * bytes + b));
      }
    }
    return new Safetensors.Tensor(e.name(), type, shape, some.flip());
  }
}
