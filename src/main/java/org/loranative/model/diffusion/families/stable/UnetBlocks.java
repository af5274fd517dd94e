package org.loranative.model.diffusion.families.stable;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.loranative.lora.LayerBlocks;

/**
 * Blocks of a UNet by the numbers that the original has for them (input_blocks, middle_block,
 * output_blocks), in the orders of A1111's LoRA Block Weight: those with attention, 17 of Stable
 * Diffusion 1 and 2 and 12 of XL, or all, 26 and 20. BASE is what lies in none: text encoders, and
 * the UNet's embeddings and last convolution.
 */
record UnetBlocks(UnetConfig config) implements LayerBlocks {
  private static final String BASE = "BASE";
  private static final String MIDDLE = "M00";
  private static final Pattern IN_BLOCK =
      Pattern.compile("unet\\.(down|up)_blocks\\.(\\d+)\\.(\\w+?)\\.(\\d+)\\..*");

  @Override
  public List<List<String>> orders() {
    List<String> attentions = new ArrayList<>(List.of(BASE));
    List<String> all = new ArrayList<>(List.of(BASE, in(0)));
    int n = config.levels().size();
    for (int i = 0; i < n; i++) {
      UnetConfig.Level level = config.levels().get(i);
      List<String> resnets = numbered("IN%02d", firstDown(i), level.resnets());
      all.addAll(resnets);
      attentions.addAll(level.attendsDown() ? resnets : List.of());
      all.addAll(i < n - 1 ? List.of(in(firstDown(i) + level.resnets())) : List.of());
    }
    all.add(MIDDLE);
    attentions.add(MIDDLE);
    for (int i = 0; i < n; i++) {
      UnetConfig.Level level = up(i);
      List<String> resnets = numbered("OUT%02d", firstUp(i), level.resnets() + 1);
      all.addAll(resnets);
      attentions.addAll(level.attendsUp() ? resnets : List.of());
    }
    return List.of(List.copyOf(attentions), List.copyOf(all));
  }

  @Override
  public String block(String path) {
    if (path.startsWith("unet.conv_in")) {
      return in(0);
    }
    if (path.startsWith("unet.mid_block.")) {
      return MIDDLE;
    }
    Matcher m = IN_BLOCK.matcher(path);
    if (!m.matches()) {
      return BASE;
    }
    int i = Integer.parseInt(m.group(2));
    int j = Integer.parseInt(m.group(4));
    boolean sampler = m.group(3).endsWith("samplers"); // the last of its level
    if (m.group(1).equals("down")) {
      return in(firstDown(i) + (sampler ? config.levels().get(i).resnets() : j));
    }
    return String.format(Locale.ROOT, "OUT%02d", firstUp(i) + (sampler ? up(i).resnets() : j));
  }

  /** Number of the first block of a level on the way down; a level ends with its sampler. */
  private int firstDown(int i) {
    return 1 + config.levels().stream().limit(i).mapToInt(l -> l.resnets() + 1).sum();
  }

  private int firstUp(int i) {
    return Stream.iterate(0, k -> k + 1).limit(i).mapToInt(k -> up(k).resnets() + 1).sum();
  }

  /** The level of an up block: they go from the inside out. */
  private UnetConfig.Level up(int i) {
    return config.levels().get(config.levels().size() - 1 - i);
  }

  private static String in(int number) {
    return String.format(Locale.ROOT, "IN%02d", number);
  }

  private static List<String> numbered(String format, int first, int count) {
    List<String> names = new ArrayList<>();
    for (int k = 0; k < count; k++) {
      names.add(String.format(Locale.ROOT, format, first + k));
    }
    return names;
  }
}
