package org.loranative.train.proposal;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.loranative.config.Preset.Choice;
import org.loranative.config.Subject;
import org.loranative.data.Records;

/** A language model and records. */
record TextBasis(int count) implements Basis {
  private static final int FEW = 200;

  static TextBasis of(Path base, Path data) {
    return new TextBasis(Records.read(data).records().size());
  }

  @Override
  public String task() {
    return "llm";
  }

  @Override
  public Subject subject() {
    return Subject.LANGUAGE;
  }

  @Override
  public String noun() {
    return "record";
  }

  @Override
  public boolean isSmall() {
    return count < FEW;
  }

  @Override
  public Map<String, Choice> settings() {
    return Map.of();
  }

  @Override
  public List<String> prompts(String triggerWord) {
    return List.of();
  }
}
