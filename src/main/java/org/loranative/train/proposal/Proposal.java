package org.loranative.train.proposal;

import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.loranative.config.ConfigReader;
import org.loranative.config.Preset;
import org.loranative.config.Preset.Choice;
import org.loranative.config.Subject;
import org.loranative.config.TrainConfig;
import org.loranative.train.TooLargeException;
import org.loranative.train.runs.NothingHeldOutException;
import org.loranative.train.runs.TrainRun;

/**
 * A configuration for a base and data that are there: presets, changed until the planner says that
 * the run fits.
 */
public final class Proposal {
  private static final String SAMPLE_STEPS = "sample_steps";
  private static final String SAMPLE_PROMPTS = "sample_prompts";

  /** Pictures of each prompt over a run. They take a tenth of its time. */
  private static final int PREVIEWS = 8;

  private final Basis basis;
  private final Subject subject;
  private final Map<String, Choice> fixed;
  private final Map<String, Choice> settings;
  private int steps;
  private String memory = "";

  /**
   * @param fixed what the user said: base, data, output, machine
   * @param settings that may be changed
   */
  private Proposal(Basis basis, Map<String, Choice> fixed, Map<String, Choice> settings) {
    this.basis = basis;
    subject = basis.subject();
    this.fixed = fixed;
    this.settings = settings;
  }

  /**
   * Finds settings that fit.
   *
   * @param given the keys that the user named
   * @param triggerWord put before captions that lack it; "" for none
   * @throws TooLargeException if nothing fits
   */
  public static Proposal of(
      Basis basis, Map<String, Choice> given, String triggerWord, List<Preset> presets) {
    Map<String, Choice> fixed = new LinkedHashMap<>();
    fixed.put("task_type", new Choice(basis.task(), ""));
    fixed.putAll(given);
    fixed.putAll(basis.settings());
    if (!triggerWord.isEmpty()) {
      fixed.put("trigger_word", new Choice(triggerWord, "put before captions that lack it"));
    }
    List<String> prompts = basis.prompts(triggerWord);
    Subject subject = basis.subject();
    Map<String, Choice> settings = Preset.settings(subject, basis.count(), presets);
    settings.putAll(basis.proposed());
    fixed.keySet().forEach(settings::remove);
    Proposal proposal = new Proposal(basis, fixed, settings);
    if (!prompts.isEmpty()) {
      proposal.set(SAMPLE_STEPS, 1, "pictures in between, in samples/contact-sheet.png");
      proposal.set(SAMPLE_PROMPTS, prompts, "");
    }
    while (true) {
      try (TrainRun run = new TrainRun(proposal.config(List.of()))) {
        proposal.steps = run.steps();
        proposal.memory = run.memory();
        settings.computeIfPresent(
            SAMPLE_STEPS, (k, s) -> new Choice(Math.max(1, run.steps() / PREVIEWS), s.why()));
        return proposal;
      } catch (TooLargeException e) {
        if (!proposal.shrink()) {
          throw e;
        }
      } catch (NothingHeldOutException e) {
        if (settings.remove("early_stop") == null) {
          throw e;
        }
      }
    }
  }

  /** Makes the run smaller; returns false where it cannot be. */
  private boolean shrink() {
    int batch = number("batch_size", 1);
    if (batch > 1) {
      set("batch_size", batch / 2, "as many as fit");
      int accumulation = number("gradient_accumulation", 1);
      set("gradient_accumulation", 2 * accumulation, "so that a step still sees the same number");
      return true;
    }
    if (settings.remove(SAMPLE_STEPS) != null) {
      settings.remove(SAMPLE_PROMPTS);
      return true;
    }
    if (!subject.isImages() && value("quantize") == null) { // of a file without blocks for nothing
      set("quantize", "keep", "16 bits do not fit: frozen matrices as the file has them");
      return true;
    }
    if (!subject.isImages() && !"nf4".equals(value("quantize"))) {
      set("quantize", "nf4", "16 bits do not fit: frozen matrices in 4 (QLoRA)");
      return true;
    }
    String size = subject.isImages() ? "resolution" : "max_length";
    int side = number(size, 0);
    if (settings.containsKey(size) && side >= 256) {
      set(size, side / 2, basis.shrunk(size, side / 2));
      return true;
    }
    if (number("lora_rank", 0) > 4 && settings.containsKey("lora_rank")) {
      set("lora_rank", 4, "more does not fit");
      set("lora_alpha", 4, "");
      return true;
    }
    return false;
  }

  private Object value(String key) {
    Choice s = fixed.getOrDefault(key, settings.get(key));
    return s == null ? null : s.value();
  }

  private int number(String key, int otherwise) {
    return value(key) instanceof Number n ? n.intValue() : otherwise;
  }

  private void set(String key, Object value, String why) {
    settings.put(key, new Choice(value, why));
  }

  private TrainConfig config(List<String> more) {
    List<String> all = new ArrayList<>();
    fixed.forEach((k, s) -> all.add(k + "=" + SettingsFile.yaml(s.value())));
    settings.forEach((k, s) -> all.add(k + "=" + SettingsFile.yaml(s.value())));
    all.addAll(more);
    return ConfigReader.read(Optional.empty(), all);
  }

  /** Steps of the run. */
  public int steps() {
    return steps;
  }

  /** Why {@code max_length} is what it is; "" where the data do not say. */
  public String lengths() {
    Choice chosen = settings.get("max_length");
    return chosen == null || chosen.why().isEmpty()
        ? ""
        : "max_length " + chosen.value() + ": " + chosen.why();
  }

  /** What the planner says it takes. */
  public String memory() {
    return memory;
  }

  /** Seconds of a step, measured over ten. */
  public double secondsPerStep() throws IOException {
    return Trial.secondsPerStep(this::config);
  }

  /** The file, with the reason for each line. */
  public String yaml(List<String> head) {
    Map<String, Choice> all = new LinkedHashMap<>(fixed);
    all.putAll(settings);
    return SettingsFile.text(head, all);
  }
}
