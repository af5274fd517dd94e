package org.loranative.model.diffusion.dit;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.loranative.io.TensorEntry;
import org.loranative.model.diffusion.CheckpointFile;
import org.loranative.model.diffusion.Vae;
import org.loranative.model.diffusion.VaeNames;
import org.loranative.model.weights.Weights;

/** A transformer's tensors in a file of its authors' layout. */
public final class OriginalTensors {
  /** What paths of this project's begin with. */
  public static final String PREFIX = "transformer.";

  /** What its tensors' names begin with in the file. */
  public static final String ROOT = "model.diffusion_model.";

  private OriginalTensors() {}

  /**
   * The weights of a file.
   *
   * @param encoders the file's name of a text encoder's tensor, by this project's
   */
  public static Weights weights(
      CheckpointFile file, OriginalNames names, UnaryOperator<String> encoders) {
    Map<String, TensorEntry> tensors = apart(file.tensors(), names);
    return new Weights(
        file.path().toString(),
        tensors,
        name -> {
          if (tensors.containsKey(name)) {
            return name; // entered under our name
          }
          if (name.startsWith(PREFIX)) {
            return fileName(name, names);
          }
          return name.startsWith(Vae.PREFIX)
              ? VaeNames.of(name.substring(Vae.PREFIX.length()), tensors.keySet())
              : encoders.apply(name);
        });
  }

  /** The file's tensors, but parts of larger ones each under this project's name. */
  private static Map<String, TensorEntry> apart(
      Map<String, TensorEntry> file, OriginalNames names) {
    Map<String, TensorEntry> tensors = new HashMap<>(file);
    for (String layer : names.parts()) {
      for (String kind : List.of(".weight", ".bias")) {
        OriginalNames.Place place = names.of(layer + kind).orElseThrow();
        TensorEntry whole = file.get(ROOT + place.name());
        if (whole != null) {
          OriginalNames.Part part = place.part().orElseThrow();
          tensors.put(PREFIX + layer + kind, CheckpointFile.rows(whole, part.first(), part.rows()));
          tensors.remove(whole.name());
          tensors.remove(ROOT + place.name());
        }
      }
    }
    return tensors;
  }

  /** The file's name of a tensor. */
  private static String fileName(String name, OriginalNames names) {
    return names.of(name.substring(PREFIX.length())).map(place -> ROOT + place.name()).orElse(name);
  }
}
