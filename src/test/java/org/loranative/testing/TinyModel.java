package org.loranative.testing;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.loranative.io.DType;
import org.loranative.io.Safetensors;

/** A random Llama with a real small tokenizer and SmolLM2's chat template, as a model folder. */
public final class TinyModel {
  private static final int HIDDEN = 64;
  private static final int FFN = 96; // no whole blocks of NF4
  private static final int LAYERS = 3;
  private static final int VOCAB = 380;

  private TinyModel() {}

  public static Path write(Path folder) throws IOException {
    Files.createDirectories(folder);
    ObjectMapper json = new ObjectMapper();
    ObjectNode config = json.createObjectNode();
    config.putArray("architectures").add("LlamaForCausalLM");
    config
        .put("hidden_size", HIDDEN)
        .put("intermediate_size", FFN)
        .put("num_hidden_layers", LAYERS)
        .put("num_attention_heads", 4)
        .put("num_key_value_heads", 2)
        .put("vocab_size", VOCAB)
        .put("rms_norm_eps", 1e-5)
        .put("rope_theta", 10000.0)
        .put("tie_word_embeddings", true);
    json.writeValue(folder.resolve("config.json").toFile(), config);
    Path resources = Path.of("src/test/resources");
    Files.copy(
        resources.resolve("tokenizers/smollm/tokenizer.json"), folder.resolve("tokenizer.json"));
    ObjectNode settings = json.createObjectNode();
    settings
        .put("bos_token", "<|im_start|>")
        .put("eos_token", "<|im_end|>")
        .put("chat_template", Files.readString(resources.resolve("templates/smollm2.jinja")));
    json.writeValue(folder.resolve("tokenizer_config.json").toFile(), settings);

    Random r = new Random(1);
    List<Safetensors.Tensor> tensors = new ArrayList<>();
    tensors.add(tensor(r, "model.embed_tokens.weight", 0.3, VOCAB, HIDDEN));
    for (int i = 0; i < LAYERS; i++) {
      String layer = "model.layers." + i + ".";
      tensors.add(tensor(r, layer + "self_attn.q_proj.weight", 0.2, HIDDEN, HIDDEN));
      tensors.add(tensor(r, layer + "self_attn.k_proj.weight", 0.2, HIDDEN / 2, HIDDEN));
      tensors.add(tensor(r, layer + "self_attn.v_proj.weight", 0.2, HIDDEN / 2, HIDDEN));
      tensors.add(tensor(r, layer + "self_attn.o_proj.weight", 0.2, HIDDEN, HIDDEN));
      tensors.add(tensor(r, layer + "mlp.gate_proj.weight", 0.2, FFN, HIDDEN));
      tensors.add(tensor(r, layer + "mlp.up_proj.weight", 0.2, FFN, HIDDEN));
      tensors.add(tensor(r, layer + "mlp.down_proj.weight", 0.2, HIDDEN, FFN));
      tensors.add(tensor(r, layer + "input_layernorm.weight", 1, HIDDEN));
      tensors.add(tensor(r, layer + "post_attention_layernorm.weight", 1, HIDDEN));
    }
    tensors.add(tensor(r, "model.norm.weight", 1, HIDDEN));
    Safetensors.write(folder.resolve("model.safetensors"), tensors, Map.of());
    return folder;
  }

  private static Safetensors.Tensor tensor(Random r, String name, double scale, long... dims) {
    long n = 1;
    List<Long> shape = new ArrayList<>();
    for (long d : dims) {
      n *= d;
      shape.add(d);
    }
    ByteBuffer data = ByteBuffer.allocate((int) n * 4).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < n; i++) {
      data.putFloat(i * 4, (float) (r.nextGaussian() * scale));
    }
    return new Safetensors.Tensor(name, DType.F32, shape, data);
  }
}
