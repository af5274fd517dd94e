package org.loranative.cli;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.loranative.UserException;
import org.loranative.config.ConfigReader;
import org.loranative.config.TrainConfig;
import org.loranative.device.CpuDevice;
import org.loranative.export.AdapterSource;
import org.loranative.model.llm.Sampling;
import org.loranative.train.StopSignal;
import org.loranative.train.llm.Answers;
import org.loranative.train.machine.Machine;
import org.loranative.train.runs.TrainRun;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code lora-native demo}: a whole run on a small real model, in minutes. */
@Command(
    name = "demo",
    description = "Fine-tune SmolLM2-135M on emoji names, and show its answers before and after.",
    subcommands = DemoSdCommand.class,
    mixinStandardHelpOptions = true)
final class DemoCommand implements Callable<Integer> {
  private static final List<String> PROMPTS =
      List.of("Which emoji is \"rocket\"?", "What does 🐙 show?", "Short code of 👩‍🚀?");

  @Option(
      names = "--base",
      paramLabel = "PATH",
      description = "Use this base model instead of fetching SmolLM2.")
  private Optional<Path> base = Optional.empty();

  @Option(
      names = "--output",
      paramLabel = "DIR",
      defaultValue = "output/demo",
      description = "Where the results go (default ${DEFAULT-VALUE}; -2, -3 … if it is taken).")
  private Path output;

  @Option(
      names = "--steps",
      paramLabel = "N",
      description = "Training steps (default: two epochs with bf16 in hardware, else one).")
  private Optional<Integer> chosenSteps = Optional.empty();

  @Override
  public Integer call() throws IOException {
    Path model = base.isPresent() ? base.get() : SmolLm2.fetch(Path.of("models/cache"));
    Path folder = unused(output);
    // Either takes two to three minutes on two cores.
    boolean fast = CpuDevice.hasBf16();
    String compute = fast ? "bf16" : "f32";
    int steps = chosenSteps.orElse(fast ? 370 : 185);
    System.out.printf(
        "This demo trains a LoRA on 1,476 short conversations about emoji (%d steps, %s).%n",
        steps, compute);
    List<String> before = answers(model, Optional.empty(), compute);
    Path data = Files.createTempDirectory("lora-native-demo");
    TrainConfig config =
        ConfigReader.read(
            Optional.empty(),
            List.of(
                "base_model=" + model,
                "metadata_path=" + unpack(data, "train.jsonl"),
                "validation_path=" + unpack(data, "validation.jsonl"),
                "output_dir=" + folder,
                "compute_dtype=" + compute,
                "max_steps=" + steps,
                "lora_rank=8",
                "lora_alpha=16",
                "batch_size=8",
                "learning_rate=0.002",
                "warmup_steps=" + Math.min(10, steps / 4),
                "max_length=256",
                "save_steps=60"));
    Optional<Path> adapter = train(config);
    if (adapter.isEmpty()) {
      return 0;
    }
    List<String> after = answers(model, adapter, compute);
    for (int i = 0; i < PROMPTS.size(); i++) {
      System.out.printf(
          "%n%s%n  before: %s%n  after:  %s%n", PROMPTS.get(i), before.get(i), after.get(i));
    }
    System.out.printf(
        "%nAdapter: %s%nLogs:    %s   (tensorboard --logdir %s)%nAsk it:  lora-native generate"
            + " --base %s --adapter %s --prompt \"Short code of 🐙?\"%n",
        adapter.get(), folder.resolve("logs"), folder.resolve("logs"), model, adapter.get());
    return 0;
  }

  /** Trains until the end, or until Ctrl-C; then there is no adapter. */
  static Optional<Path> train(TrainConfig config) {
    StopSignal stop = StopSignal.onSignals();
    try (TrainRun run = new TrainRun(config)) {
      return run.train(false, Main.CONSOLE, stop);
    }
  }

  private static List<String> answers(Path model, Optional<Path> adapter, String compute) {
    List<String> texts = new ArrayList<>();
    try (Answers answers =
        new Answers(
            model,
            adapter.stream().map(a -> new AdapterSource(a, 1)).toList(),
            Machine.of("cpu", compute))) {
      for (String prompt : PROMPTS) {
        String text =
            answers.answer(Answers.Question.of(prompt), 48, Sampling.greedy(), piece -> {});
        texts.add(text.strip().replace("\n", " "));
      }
    }
    return texts;
  }

  /** The folder, or one with a number behind its name if it is taken. */
  static Path unused(Path wanted) {
    Path folder = wanted;
    for (int i = 2; Files.exists(folder); i++) {
      folder = Path.of(wanted + "-" + i);
    }
    return folder;
  }

  private static Path unpack(Path folder, String name) throws IOException {
    Path file = folder.resolve(name);
    try (InputStream in = DemoCommand.class.getResourceAsStream("/demo/emoji-chat/" + name)) {
      if (in == null) {
        throw new UserException("The jar holds no demo data; build it with mvn package.");
      }
      Files.copy(in, file, StandardCopyOption.REPLACE_EXISTING);
    }
    file.toFile().deleteOnExit();
    return file;
  }
}
