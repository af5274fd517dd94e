package org.loranative.model.diffusion.dit;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.loranative.io.TensorEntry;
import org.loranative.model.diffusion.CheckpointFile;

/** A transformer's tensors in a file of its authors' layout. */
public final class OriginalTensors {
  /** What paths of this project's begin with. */
  public static final String PREFIX = "transformer.";

  /** What its tensors' names begin with in the file. */
  public static final String ROOT = "model.diffusion_model.";

  private OriginalTensors() {}

  /** The file's tensors, but parts of larger ones each under this project's name. */
  public static Map<String, TensorEntry> apart(Map<String, TensorEntry> file, OriginalNames names) {
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
  public static String fileName(String name, OriginalNames names) {
    return names.of(name.substring(PREFIX.length())).map(place -> ROOT + place.name()).orElse(name);
  }
}
