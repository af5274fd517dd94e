package org.loranative.config;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Settings that go together, as the guide this tool follows advises them; {@code lora-native init}
 * writes them out with the reason for each.
 */
public enum Preset {
  /** For cards of less than 24 GB. */
  LOW_VRAM("low-vram", "little memory") {
    @Override
    void into(Map<String, Choice> s, boolean images) {
      put(s, "batch_size", 2, "little memory: few examples at a time");
      put(s, "gradient_accumulation", 2, "and two times as many a step all the same");
      put(s, "lora_rank", 4, "a small adapter");
      put(s, "lora_alpha", 4, "its effect is scaled by alpha / rank");
      if (images) {
        put(s, "resolution", 512, "larger images take memory with the square of their side");
      } else {
        put(s, "quantize", "nf4", "frozen matrices in 4 bits (QLoRA)");
      }
    }
  },

  /** For fewer than 100 images, or 200 records. */
  SMALL_DATA("small-data", "little data") {
    @Override
    void into(Map<String, Choice> s, boolean images) {
      put(s, "early_stop", 5, "stop once the validation loss has been no better five times");
      if (!images) {
        put(s, "epochs", 4, "little data: seen more often");
        put(s, "learning_rate", 1e-4, "and learnt slowly, which overfits less");
        put(s, "validation_fraction", 0.1, "a tenth is only measured");
      }
    }
  },

  /** A larger adapter. */
  HIGH_QUALITY("high-quality", "a larger adapter") {
    @Override
    void into(Map<String, Choice> s, boolean images) {
      put(s, "lora_rank", images ? 32 : 16, "a larger adapter");
      put(s, "lora_alpha", 32, images ? "" : "with twice the effect: alpha / rank");
    }
  },

  /** To see in minutes whether all fits together. */
  QUICK("quick", "a trial") {
    @Override
    void into(Map<String, Choice> s, boolean images) {
      put(s, "max_steps", 100, "a trial: whether base, data and settings fit together");
      put(s, "eval_steps", 20, "look often");
      put(s, "save_steps", 50, "");
    }
  };

  private static final int IMAGES_SHOWN = 3000;

  /** Its name on the command line. */
  public final String label;

  /** What it is for. */
  public final String purpose;

  Preset(String label, String purpose) {
    this.label = label;
    this.purpose = purpose;
  }

  /** A value, and why; "" where the catalogue's sentence says enough. */
  public record Choice(Object value, String why) {}

  abstract void into(Map<String, Choice> settings, boolean images);

  private static void put(Map<String, Choice> s, String key, Object value, String why) {
    s.put(key, new Choice(value, why));
  }

  /** The default, named so that it is seen. */
  private static void usual(Map<String, Choice> s, String key, TaskType task) {
    put(s, key, Catalogue.get(key).byDefault(task, Map.of()), "");
  }

  /**
   * A proposal, changed by presets in their order.
   *
   * @param count images or records that there are
   */
  public static Map<String, Choice> settings(Subject subject, int count, List<Preset> presets) {
    boolean images = subject.isImages();
    Map<String, Choice> s = new LinkedHashMap<>();
    if (images) {
      usual(s, "resolution", TaskType.SD);
      put(s, "lora_targets", subject.targets, "groups of layers: docs/configuration.md");
    } else {
      usual(s, "max_length", TaskType.LLM);
    }
    put(s, "lora_rank", images ? 16 : 8, "");
    put(s, "lora_alpha", images ? 16 : 8, "");
    usual(s, "batch_size", TaskType.LLM);
    put(s, "epochs", images ? epochs(count) : 3, "");
    put(s, "learning_rate", subject.rate, "the doctor says if it is too high or too low");
    usual(s, "lr_schedule", TaskType.LLM);
    if (!images) {
      put(s, "validation_fraction", 0.05, "a share that is only measured: shows overfitting");
    }
    put(s, "save_steps", 100, "a checkpoint every so many steps; --resume goes on from it");
    presets.forEach(p -> p.into(s, images));
    return s;
  }

  /** Some three thousand images in all, each at least ten times and at most a hundred. */
  private static int epochs(int images) {
    return Math.max(10, Math.min(100, (IMAGES_SHOWN + images - 1) / images));
  }
}
