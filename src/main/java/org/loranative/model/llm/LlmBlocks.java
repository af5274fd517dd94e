package org.loranative.model.llm;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.loranative.lora.LayerBlocks;

/**
 * A language model's layers in their order, behind BASE, which is all that lies in none: its head.
 *
 * @param layers how many there are
 */
record LlmBlocks(int layers) implements LayerBlocks {
  private static final String BASE = "BASE";
  private static final Pattern IN_LAYER = Pattern.compile("(?:.*\\.)?layers\\.(\\d+)\\..*");

  @Override
  public List<List<String>> orders() {
    List<String> order = new ArrayList<>(List.of(BASE));
    for (int i = 0; i < layers; i++) {
      order.add(name(i));
    }
    return List.of(List.copyOf(order));
  }

  @Override
  public String block(String path) {
    Matcher m = IN_LAYER.matcher(path);
    return m.matches() ? name(Integer.parseInt(m.group(1))) : BASE;
  }

  private static String name(int layer) {
    return "layers." + layer;
  }
}
