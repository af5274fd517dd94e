package org.loranative.track;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** {@code layers.jsonl}: what each adapted layer was like whenever it was looked at. */
public final class LayerLog implements AutoCloseable {
  public static final String FILE = "layers.jsonl";

  private static final ObjectMapper JSON =
      new ObjectMapper()
          .setPropertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
          .configure(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES, false);

  /**
   * A layer at a step.
   *
   * @param rank of its adapter
   * @param parts norm of each part of the adapter, by name
   * @param change norm of what its weight has gained
   * @param relative that, relative to the norm of the weight
   * @param directions that hold 99 % of the change's square
   * @param most directions that it could have, 0 where that is not known
   * @param singularValues of the change, falling; of a method with several products those of the
   *     first
   * @param gradNorm of its parts, before clipping
   * @param update norm of the step's change of its parts, relative to theirs
   */
  public record Layer(
      String layer,
      int rank,
      Map<String, Float> parts,
      float change,
      float relative,
      int directions,
      int most,
      List<Float> singularValues,
      float gradNorm,
      float update) {
    /** What a damaged line lacks is empty. */
    public Layer {
      parts = parts == null ? Map.of() : Collections.unmodifiableMap(new LinkedHashMap<>(parts));
      singularValues = singularValues == null ? List.of() : List.copyOf(singularValues);
    }
  }

  /** All layers at a step. */
  public record At(int step, List<Layer> layers) {
    /** Likewise. */
    public At {
      layers = layers == null ? List.of() : List.copyOf(layers);
    }

    /** The same without singular values, which are most of it. */
    public At brief() {
      return new At(
          step,
          layers.stream()
              .map(
                  l ->
                      new Layer(
                          l.layer,
                          l.rank,
                          l.parts,
                          l.change,
                          l.relative,
                          l.directions,
                          l.most,
                          List.of(),
                          l.gradNorm,
                          l.update))
              .toList());
    }
  }

  private final MetricsLog file;

  /**
   * @param keepTo lines of later steps are dropped: a resumed run writes them again
   */
  public LayerLog(Path logs, int keepTo) throws IOException {
    file = new MetricsLog(logs.resolve(FILE), keepTo);
  }

  /** Appends a line. */
  public void write(At at) {
    Map<String, Object> line = new LinkedHashMap<>();
    line.put("step", at.step());
    line.put("layers", JSON.valueToTree(at.layers()));
    file.write(line);
  }

  /** Goes back to a step. */
  public void cutAfter(int step) throws IOException {
    file.cutAfter(step);
  }

  /** What the log in a folder holds; nothing where there is none. */
  public static List<At> read(Path logs) {
    List<At> all = new ArrayList<>();
    JsonLines.readWhatIsThere(logs.resolve(FILE), line -> all.add(JSON.readValue(line, At.class)));
    return all;
  }

  @Override
  public void close() throws IOException {
    file.close();
  }
}
