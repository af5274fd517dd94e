package org.loranative.config;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** What is trained. */
public enum TaskType {
  LLM("llm", "text-generation", "language models"),
  SD("sd", "text-to-image", "diffusion models");

  /** Its name in {@code task_type}. */
  public final String label;

  /** Its name at Hugging Face. */
  final String alias;

  /** What it trains. */
  public final String models;

  TaskType(String label, String alias, String models) {
    this.label = label;
    this.alias = alias;
    this.models = models;
  }

  /** The task of a name or another spelling of it. */
  public static Optional<TaskType> named(String name) {
    String other = name.replace('_', '-');
    return Arrays.stream(values())
        .filter(t -> t.label.equals(name) || t.alias.equals(other))
        .findFirst();
  }

  /** Every name that {@code task_type} may have. */
  static List<String> names() {
    return Stream.concat(
            Arrays.stream(values()).map(t -> t.label), Arrays.stream(values()).map(t -> t.alias))
        .toList();
  }
}
