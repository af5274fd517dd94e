package org.loranative.model.diffusion.dit;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What Black Forest Labs' own code calls the layers of a {@link RotaryTransformer}: q, k and v are
 * one, in blocks of one stream together with the first layer of the feed-forward.
 *
 * @param outside names of layers outside of the blocks, by diffusers'
 */
public record RotaryNames(RotaryTransformer transformer, Map<String, String> outside)
    implements OriginalNames {
  private static final Pattern BLOCK =
      Pattern.compile("(single_)?transformer_blocks\\.(\\d+)\\.(.*)");
  private static final Pattern PROJECTION =
      Pattern.compile("(?:attn\\.(?:to_([qkv])|add_([qkv])_proj)|(proj_mlp))(.*)");

  /** Of the feed-forward, to a token's width. */
  private static final int WIDER = 4;

  /** Longest first where one is another's beginning. */
  private static final Map<String, String> IN_DOUBLE = new LinkedHashMap<>();

  private static final Map<String, String> IN_SINGLE = new LinkedHashMap<>();

  static {
    IN_DOUBLE.put("attn.to_out.0", "img_attn.proj");
    IN_DOUBLE.put("attn.to_add_out", "txt_attn.proj");
    IN_DOUBLE.put("attn.norm_added_q.weight", "txt_attn.norm.query_norm.scale");
    IN_DOUBLE.put("attn.norm_added_k.weight", "txt_attn.norm.key_norm.scale");
    IN_DOUBLE.put("attn.norm_q.weight", "img_attn.norm.query_norm.scale");
    IN_DOUBLE.put("attn.norm_k.weight", "img_attn.norm.key_norm.scale");
    IN_DOUBLE.put("ff_context.net.0.proj", "txt_mlp.0");
    IN_DOUBLE.put("ff_context.net.2", "txt_mlp.2");
    IN_DOUBLE.put("ff.net.0.proj", "img_mlp.0");
    IN_DOUBLE.put("ff.net.2", "img_mlp.2");
    IN_DOUBLE.put("norm1_context.linear", "txt_mod.lin");
    IN_DOUBLE.put("norm1.linear", "img_mod.lin");
    IN_SINGLE.put("attn.norm_q.weight", "norm.query_norm.scale");
    IN_SINGLE.put("attn.norm_k.weight", "norm.key_norm.scale");
    IN_SINGLE.put("norm.linear", "modulation.lin");
    IN_SINGLE.put("proj_out", "linear2");
  }

  public RotaryNames {
    outside = Collections.unmodifiableMap(new LinkedHashMap<>(outside));
  }

  @Override
  public Optional<Place> of(String path) {
    Matcher block = BLOCK.matcher(path);
    if (!block.matches()) {
      return OriginalNames.renamed(outside, path, "");
    }
    boolean single = block.group(1) != null;
    String before = (single ? "single_blocks." : "double_blocks.") + block.group(2) + ".";
    Matcher m = PROJECTION.matcher(block.group(3));
    if (!m.matches() || m.group(3) != null && !single) {
      return OriginalNames.renamed(single ? IN_SINGLE : IN_DOUBLE, block.group(3), before);
    }
    boolean text = m.group(2) != null;
    int index = m.group(3) != null ? 3 : "qkv".indexOf(text ? m.group(2) : m.group(1));
    String layer = single ? "linear1" : text ? "txt_attn.qkv" : "img_attn.qkv";
    long width = transformer.width();
    long rows = index == 3 ? WIDER * width : width;
    return Optional.of(
        new Place(before + layer + m.group(4), Optional.of(new Part(index, index * width, rows))));
  }

  @Override
  public List<String> parts() {
    List<String> parts = new ArrayList<>();
    for (int i = 0; i < transformer.layers(); i++) {
      String attention = "transformer_blocks." + i + ".attn.";
      for (String p : List.of("q", "k", "v")) {
        parts.add(attention + "to_" + p);
        parts.add(attention + "add_" + p + "_proj");
      }
    }
    for (int i = 0; i < transformer.singles(); i++) {
      String block = "single_transformer_blocks." + i + ".";
      for (String p : List.of("attn.to_q", "attn.to_k", "attn.to_v", "proj_mlp")) {
        parts.add(block + p);
      }
    }
    return parts;
  }

  @Override
  public boolean isExchanged(String path) {
    return false;
  }
}
