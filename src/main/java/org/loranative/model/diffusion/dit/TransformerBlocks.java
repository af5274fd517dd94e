package org.loranative.model.diffusion.dit;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.loranative.lora.LayerBlocks;

/** A transformer's blocks in their order, behind BASE, which is all that lies in none. */
public record TransformerBlocks(List<Row> rows) implements LayerBlocks {
  private static final String BASE = "BASE";

  /**
   * Blocks of one kind.
   *
   * @param name for users: {@code JOINT} and the block's number
   * @param path that layers in them have, before the number
   */
  public record Row(String name, String path, int count) {
    private Optional<String> block(String layer) {
      String before = OriginalTensors.PREFIX + path + ".";
      if (!layer.startsWith(before)) {
        return Optional.empty();
      }
      String rest = layer.substring(before.length());
      return Optional.of(name + rest.substring(0, rest.indexOf('.')));
    }
  }

  public TransformerBlocks {
    rows = List.copyOf(rows);
  }

  @Override
  public List<List<String>> orders() {
    List<String> order = new ArrayList<>(List.of(BASE));
    for (Row row : rows) {
      for (int i = 0; i < row.count(); i++) {
        order.add(row.name() + i);
      }
    }
    return List.of(List.copyOf(order));
  }

  @Override
  public String block(String path) {
    return rows.stream()
        .map(row -> row.block(path))
        .flatMap(Optional::stream)
        .findFirst()
        .orElse(BASE);
  }
}
