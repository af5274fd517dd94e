package org.loranative.model.diffusion.families.zimage;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.loranative.model.diffusion.dit.OriginalNames;

/** What Z-Image's own code calls its layers: q, k and v are one. */
record ZImageOriginalNames(ZImageConfig config) implements OriginalNames {
  private static final Pattern PROJECTION =
      Pattern.compile("(.*\\.attention\\.)to_([qkv])(\\..*)?");
  private static final Map<String, String> IN_ATTENTION =
      Map.of("to_out.0", "out", "norm_q", "q_norm", "norm_k", "k_norm");
  private static final Map<String, String> OUTSIDE =
      Map.of("all_x_embedder.2-1", "x_embedder", "all_final_layer.2-1", "final_layer");

  @Override
  public Optional<Place> of(String path) {
    Matcher m = PROJECTION.matcher(path);
    if (m.matches()) {
      int index = "qkv".indexOf(m.group(2));
      String rest = Optional.ofNullable(m.group(3)).orElse("");
      Part part = new Part(index, (long) index * config.width(), config.width());
      return Optional.of(new Place(m.group(1) + "qkv" + rest, Optional.of(part)));
    }
    int attention = path.indexOf(".attention.");
    if (attention >= 0) {
      int inside = attention + ".attention.".length();
      return OriginalNames.renamed(IN_ATTENTION, path.substring(inside), path.substring(0, inside));
    }
    return OriginalNames.renamed(OUTSIDE, path, "")
        .or(() -> Optional.of(new Place(path, Optional.empty())));
  }

  @Override
  public List<String> parts() {
    List<String> parts = new ArrayList<>();
    config
        .blocks()
        .rows()
        .forEach(
            row -> {
              for (int i = 0; i < row.count(); i++) {
                for (String p : List.of("q", "k", "v")) {
                  parts.add(row.path() + "." + i + ".attention.to_" + p);
                }
              }
            });
    return parts;
  }

  @Override
  public boolean isExchanged(String path) {
    return false;
  }
}
