package org.loranative.model.diffusion.parts;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.loranative.io.TensorEntry;

/** T5's names in llama.cpp's GGUF files, as transformers'. */
final class T5Gguf {
  static final String TELLTALE = "enc.blk.0.attn_q.weight";
  private static final Pattern BLOCK = Pattern.compile("enc\\.blk\\.(\\d+)\\.(\\w+)\\.weight");
  private static final Map<String, String> IN_BLOCK =
      Map.of(
          "attn_q", "0.SelfAttention.q",
          "attn_k", "0.SelfAttention.k",
          "attn_v", "0.SelfAttention.v",
          "attn_o", "0.SelfAttention.o",
          "attn_rel_b", "0.SelfAttention.relative_attention_bias",
          "attn_norm", "0.layer_norm",
          "ffn_gate", "1.DenseReluDense.wi_0",
          "ffn_up", "1.DenseReluDense.wi_1",
          "ffn_down", "1.DenseReluDense.wo",
          "ffn_norm", "1.layer_norm");
  private static final Map<String, String> OUTSIDE =
      Map.of(
          "token_embd.weight", "shared.weight",
          "enc.output_norm.weight", "encoder.final_layer_norm.weight");

  private T5Gguf() {}

  static Map<String, TensorEntry> renamed(Map<String, TensorEntry> file) {
    Map<String, TensorEntry> tensors = new LinkedHashMap<>();
    file.forEach(
        (name, entry) -> {
          Matcher m = BLOCK.matcher(name);
          boolean inside = m.matches() && IN_BLOCK.containsKey(m.group(2));
          String ours =
              inside
                  ? "encoder.block." + m.group(1) + ".layer." + IN_BLOCK.get(m.group(2)) + ".weight"
                  : OUTSIDE.getOrDefault(name, name);
          tensors.put(ours, entry);
        });
    return tensors;
  }
}
