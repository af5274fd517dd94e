package org.loranative.lora;

import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;
import org.loranative.io.Numbers;

/** A flat buffer of adapters as it is put together: each part wherever it lies, else zeros. */
public final class Flat implements Numbers {
  private final long size;

  /** By their places' offsets. */
  private final TreeMap<Long, Numbers> parts = new TreeMap<>();

  Flat(Adapters adapters) {
    size = adapters.floats();
  }

  /** Takes a part's numbers, in place of those that it has. */
  public void put(Adapters.Place place, Numbers numbers) {
    assert numbers.size() == place.part().size() : place.part().name();
    parts.put(place.offset(), numbers);
  }

  /** A part's array, to be written into: zeros at first. */
  float[] array(Adapters.Place place) {
    return parts
        .computeIfAbsent(
            place.offset(), o -> Numbers.of(new float[Math.toIntExact(place.part().size())]))
        .all();
  }

  @Override
  public long size() {
    return size;
  }

  @Override
  public void read(long from, float[] to, int at, int count) {
    Arrays.fill(to, at, at + count, 0);
    Long first = parts.floorKey(from);
    for (Map.Entry<Long, Numbers> part :
        parts.subMap(first == null ? from : first, from + count).entrySet()) {
      long start = Math.max(from, part.getKey());
      long end = Math.min(from + count, part.getKey() + part.getValue().size());
      if (start < end) {
        part.getValue()
            .read(start - part.getKey(), to, at + (int) (start - from), (int) (end - start));
      }
    }
  }
}
