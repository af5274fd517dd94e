package org.loranative.lora;

import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.loranative.UserException;

/**
 * Some of a model's blocks, such as {@code 0,3,7-12}: numbers in the longest of its orders, not
 * counting what lies in no block.
 *
 * @param text as the user wrote it; "" for all layers, also those in no block
 */
public record BlockRanges(String text) {
  /** The layers that lie in these blocks. */
  public List<Adapters.Target> among(List<Adapters.Target> layers, LayerBlocks blocks) {
    if (text.isBlank()) {
      return layers;
    }
    List<String> longest =
        blocks.orders().stream().max(Comparator.comparingInt(List::size)).orElseThrow();
    List<String> order = longest.subList(1, longest.size()); // behind what is for the rest
    Set<String> chosen =
        Arrays.stream(text.strip().split("\\s*,\\s*"))
            .flatMapToInt(range -> numbers(range, order))
            .mapToObj(order::get)
            .collect(Collectors.toSet());
    return layers.stream().filter(t -> chosen.contains(blocks.block(t.path()))).toList();
  }

  private IntStream numbers(String range, List<String> order) {
    String[] ends = range.split("-");
    int first = Integer.parseInt(ends[0]);
    int last = Integer.parseInt(ends[ends.length - 1]);
    if (first > last) {
      throw new UserException(
          String.format("blocks is %s, but %s is empty; write %d-%d.", text, range, last, first));
    }
    if (last >= order.size()) {
      throw new UserException(
          String.format(
              "blocks is %s, but this base has %d blocks, 0 (%s) to %d (%s).",
              text, order.size(), order.get(0), order.size() - 1, order.get(order.size() - 1)));
    }
    return IntStream.rangeClosed(first, last);
  }
}
