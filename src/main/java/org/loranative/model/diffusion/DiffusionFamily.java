package org.loranative.model.diffusion;

import java.util.Map;
import org.loranative.diffusion.NoiseProcess;
import org.loranative.lora.LayerBlocks;
import org.loranative.lora.LayerNames;

/** What one family of diffusion models decides; all else of training and drawing is shared. */
public interface DiffusionFamily {

  /** Its name in settings that start from it. */
  String name();

  TextEncoders text();

  Denoiser denoiser();

  NoiseProcess noise();

  /** What files call its layers. */
  LayerNames names();

  /** Blocks that users weigh adapters by. */
  LayerBlocks blocks();

  /** Names that stand for many layers in lora_targets, and patterns of these layers' paths. */
  Map<String, String> groups();

  /** What kohya's scripts write of the base into an adapter's file. */
  Map<String, String> metadata();

  /** How it follows a text. */
  default Guidance guidance() {
    return Guidance.LED;
  }

  /** How images are drawn where nobody says otherwise. */
  Habit drawing();

  /** The same for previews while a model is trained. */
  Habit previews();

  /** A sampler, its steps, and how far to follow the prompt. */
  record Habit(String sampler, int steps, double guidance) {}
}
