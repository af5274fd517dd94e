package org.loranative.model.diffusion.families.sd3;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.loranative.model.diffusion.dit.OriginalNames;

/**
 * What Stability AI's own code calls the transformer's layers ({@code joint_blocks.0.x_block.…}),
 * in which q, k and v are one.
 *
 * @param layers of the transformer
 * @param width of a token
 */
record Sd3OriginalNames(int layers, int width) implements OriginalNames {
  private static final Pattern BLOCK = Pattern.compile("transformer_blocks\\.(\\d+)\\.(.*)");
  private static final Pattern PROJECTION =
      Pattern.compile("(attn2?)\\.(?:to_([qkv])|add_([qkv])_proj)(.*)");

  /** Inside a block, longest first where one is another's beginning. */
  private static final Map<String, String> IN_BLOCK = new LinkedHashMap<>();

  private static final Map<String, String> OUTSIDE = new LinkedHashMap<>();

  static {
    IN_BLOCK.put("attn.to_out.0", "x_block.attn.proj");
    IN_BLOCK.put("attn.to_add_out", "context_block.attn.proj");
    IN_BLOCK.put("attn2.to_out.0", "x_block.attn2.proj");
    IN_BLOCK.put("attn.norm_added_q", "context_block.attn.ln_q");
    IN_BLOCK.put("attn.norm_added_k", "context_block.attn.ln_k");
    IN_BLOCK.put("attn.norm_q", "x_block.attn.ln_q");
    IN_BLOCK.put("attn.norm_k", "x_block.attn.ln_k");
    IN_BLOCK.put("attn2.norm_q", "x_block.attn2.ln_q");
    IN_BLOCK.put("attn2.norm_k", "x_block.attn2.ln_k");
    IN_BLOCK.put("ff_context.net.0.proj", "context_block.mlp.fc1");
    IN_BLOCK.put("ff_context.net.2", "context_block.mlp.fc2");
    IN_BLOCK.put("ff.net.0.proj", "x_block.mlp.fc1");
    IN_BLOCK.put("ff.net.2", "x_block.mlp.fc2");
    IN_BLOCK.put("norm1_context.linear", "context_block.adaLN_modulation.1");
    IN_BLOCK.put("norm1.linear", "x_block.adaLN_modulation.1");
    OUTSIDE.put("pos_embed.proj", "x_embedder.proj");
    OUTSIDE.put("pos_embed.pos_embed", "pos_embed");
    OUTSIDE.put("context_embedder", "context_embedder");
    OUTSIDE.put("time_text_embed.timestep_embedder.linear_1", "t_embedder.mlp.0");
    OUTSIDE.put("time_text_embed.timestep_embedder.linear_2", "t_embedder.mlp.2");
    OUTSIDE.put("time_text_embed.text_embedder.linear_1", "y_embedder.mlp.0");
    OUTSIDE.put("time_text_embed.text_embedder.linear_2", "y_embedder.mlp.2");
    OUTSIDE.put("norm_out.linear", "final_layer.adaLN_modulation.1");
    OUTSIDE.put("proj_out", "final_layer.linear");
  }

  private static final List<String> PARTS =
      List.of(
          "attn.to_q",
          "attn.to_k",
          "attn.to_v",
          "attn.add_q_proj",
          "attn.add_k_proj",
          "attn.add_v_proj",
          "attn2.to_q",
          "attn2.to_k",
          "attn2.to_v");

  @Override
  public Optional<Place> of(String path) {
    Matcher block = BLOCK.matcher(path);
    if (!block.matches()) {
      return OriginalNames.renamed(OUTSIDE, path, "");
    }
    String joint = "joint_blocks." + block.group(1) + ".";
    Matcher m = PROJECTION.matcher(block.group(2));
    if (m.matches()) {
      boolean text = m.group(2) == null;
      String stream = text ? "context_block." : "x_block.";
      int part = "qkv".indexOf(text ? m.group(3) : m.group(2));
      return Optional.of(
          new Place(
              joint + stream + m.group(1) + ".qkv" + m.group(4),
              Optional.of(new Part(part, (long) part * width, width))));
    }
    return OriginalNames.renamed(IN_BLOCK, block.group(2), joint);
  }

  @Override
  public List<String> parts() {
    return IntStream.range(0, layers)
        .boxed()
        .flatMap(i -> PARTS.stream().map(part -> "transformer_blocks." + i + "." + part))
        .toList();
  }

  /** The original makes the shift first and the scale behind it, diffusers the other way round. */
  @Override
  public boolean isExchanged(String path) {
    return path.equals("norm_out.linear")
        || path.equals("transformer_blocks." + (layers - 1) + ".norm1_context.linear");
  }
}
