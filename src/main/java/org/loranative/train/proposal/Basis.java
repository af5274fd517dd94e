package org.loranative.train.proposal;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.loranative.UserException;
import org.loranative.config.Preset.Choice;
import org.loranative.config.Subject;
import org.loranative.model.diffusion.BaseOptions;
import org.loranative.model.diffusion.families.DiffusionFamilies;

/** A base and data that are there, and what they say of good settings. */
public sealed interface Basis permits ImageBasis, TextBasis {
  /**
   * Looks at them.
   *
   * @param parts of a diffusion model that lie elsewhere
   * @param task {@code task_type}; empty for what the base looks like
   */
  static Basis of(Path base, BaseOptions parts, Path data, Optional<String> task) {
    Basis basis = images(base, task) ? ImageBasis.of(base, parts, data) : TextBasis.of(base, data);
    if (basis.count() == 0) {
      throw new UserException("--data " + data + " holds nothing to train on.");
    }
    return basis;
  }

  private static boolean images(Path base, Optional<String> task) {
    if (task.isEmpty()) {
      return DiffusionFamilies.isOne(base);
    }
    return switch (task.get()) {
      case "sd", "text-to-image" -> true;
      case "llm", "text-generation" -> false;
      default -> throw new UserException("--task is " + task.get() + ", but must be llm or sd.");
    };
  }

  /** {@code task_type}. */
  String task();

  Subject subject();

  /** Images or records that there are. */
  int count();

  /** What is counted: one of it. */
  String noun();

  /** Whether there are so few that training overfits soon. */
  boolean isSmall();

  /** What follows from them, by key. */
  Map<String, Choice> settings();

  /** What they propose, by key; it may still be changed so that the run fits. */
  default Map<String, Choice> proposed() {
    return Map.of();
  }

  /** Why a setting was made smaller than was proposed. */
  default String shrunk(String key, int value) {
    return "more does not fit";
  }

  /** What previews may be drawn of, from all over the data. */
  List<String> prompts(String triggerWord);
}
