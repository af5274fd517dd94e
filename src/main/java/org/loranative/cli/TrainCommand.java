package org.loranative.cli;

import java.util.concurrent.Callable;
import org.loranative.config.TrainConfig;
import org.loranative.train.RunFolder;
import org.loranative.train.StopSignal;
import org.loranative.train.runs.TrainRun;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code lora-native train}. */
@Command(
    name = "train",
    description = "Train a LoRA adapter.",
    mixinStandardHelpOptions = true,
    footer = {
      "",
      "A configuration needs base_model, metadata_path (or train_data_dir) and output_dir:",
      "  base_model: models/SmolLM2-135M-Instruct.Q4_1.gguf   # or a Hugging Face folder",
      "  metadata_path: data/train.jsonl                      # or .json .csv .txt .parquet, or a"
          + " folder",
      "  output_dir: output/my-run",
      "For images: task_type: sd, and a folder of captioned pictures as metadata_path.",
      "Results: output_dir/adapter (PEFT; of images the file lora.safetensors), output_dir/logs",
      "(TensorBoard, metrics.jsonl, train.log),",
      "output_dir/checkpoint-N. Ctrl-C saves a checkpoint and exits (again: at once); --resume goes"
          + " on."
    })
final class TrainCommand implements Callable<Integer> {
  @Mixin private ConfigOptions options;

  @Option(
      names = "--resume",
      description = "Continue the run in output_dir from its newest checkpoint.")
  private boolean resume;

  @Override
  public Integer call() {
    StopSignal stop = StopSignal.onSignals();
    TrainConfig config = options.readForRun(resume);
    if (!resume) {
      TrainConfig.path(config.outputDir()).ifPresent(RunFolder::requireUnused); // before long work
    }
    try (TrainRun run = new TrainRun(config)) {
      return run.train(resume, Main.CONSOLE, stop).isPresent() ? 0 : stop.exitCode();
    }
  }
}
