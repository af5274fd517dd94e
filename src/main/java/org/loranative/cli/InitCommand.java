package org.loranative.cli;

import java.io.Console;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.loranative.Counted;
import org.loranative.ShellWord;
import org.loranative.UserException;
import org.loranative.config.Preset;
import org.loranative.config.Preset.Choice;
import org.loranative.device.CpuDevice;
import org.loranative.device.Device;
import org.loranative.io.AtomicFiles;
import org.loranative.model.MissingBase;
import org.loranative.train.machine.Devices;
import org.loranative.train.proposal.Basis;
import org.loranative.train.proposal.Proposal;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code lora-native init}. */
@Command(
    name = "init",
    description = "Look at a base model and data, and write a configuration that fits.",
    mixinStandardHelpOptions = true,
    footer = {
      "",
      "Presets: low-vram (less than 24 GB), small-data (fewer than 100 images or 200 records),",
      "high-quality (twice the rank), quick (100 steps). Without --preset the first two are chosen",
      "by what is there. Whatever is not given is asked, where there is a terminal."
    })
final class InitCommand implements Callable<Integer> {
  private static final long PLENTY = 24_000_000_000L;

  @Option(names = "--task", description = "llm or sd; by default what the base is.")
  private Optional<String> task = Optional.empty();

  @Option(names = "--base", description = "The base model: a folder or a file.")
  private Optional<Path> base = Optional.empty();

  @Option(
      names = "--tokenizer",
      paramLabel = "DIR",
      description = "Tokenizers of a diffusion model that are not with it.")
  private Optional<Path> tokenizer = Optional.empty();

  @Mixin private PartOptions parts;

  @Option(names = "--data", description = "The training data: a file or a folder.")
  private Optional<Path> data = Optional.empty();

  @Option(
      names = "--trigger-word",
      description = "A word for what is learnt, put before captions that lack it (images).")
  private Optional<String> triggerWord = Optional.empty();

  @Option(names = "--memory", description = "What the run may take, such as 8GB.")
  private Optional<String> memory = Optional.empty();

  @Option(names = "--preset", split = ",", description = "One or more, separated by commas.")
  private List<String> presets = List.of();

  @Option(names = "--device", defaultValue = "auto", description = "Default: ${DEFAULT-VALUE}.")
  private String device;

  @Option(names = "--output-dir", description = "The run's folder. Default: output/NAME.")
  private Optional<Path> outputDir = Optional.empty();

  @Option(names = "--out", defaultValue = "my-run.yaml", description = "Default: ${DEFAULT-VALUE}.")
  private Path out;

  @Option(names = "--force", description = "Overwrite the file.")
  private boolean force;

  @Option(names = "--no-probe", description = "Do not train ten steps to tell the time.")
  private boolean noProbe;

  @Override
  public Integer call() throws Exception {
    if (Files.exists(out) && !force) {
      throw new UserException(out + " exists; name another file with --out, or use --force.");
    }
    Path model = existing("--base", base, "Base model (folder or file)");
    Path training = existing("--data", data, "Training data (file or folder)");
    Basis basis = Basis.of(model, parts.options(tokenizer), training, task);
    boolean images = basis.subject().isImages();
    if (!images && triggerWord.isPresent()) {
      throw new UserException("--trigger-word is for images, but " + model + " makes text.");
    }
    List<String> head = new ArrayList<>();
    head.add(String.format("%s in %s", Counted.of(basis.count(), basis.noun()), training));
    Map<String, Choice> given = new LinkedHashMap<>();
    given.put("base_model", new Choice(model.toString(), ""));
    parts.settings().forEach((key, value) -> given.put(key, new Choice(value, "")));
    tokenizer.ifPresent(folder -> given.put("tokenizer_path", new Choice(folder.toString(), "")));
    given.put("metadata_path", new Choice(training.toString(), ""));
    String name = out.getFileName().toString().replaceAll("\\.ya?ml$", "");
    String folder = outputDir.orElse(Path.of("output", name)).toString();
    given.put("output_dir", new Choice(folder, "results, checkpoints, logs"));
    List<Preset> fitting = new ArrayList<>();
    if (basis.isSmall()) {
      fitting.add(Preset.SMALL_DATA);
    }
    if (machine(given)) {
      fitting.add(Preset.LOW_VRAM);
    }
    List<Preset> chosen = presets.isEmpty() ? fitting : named();
    chosen.forEach(p -> head.add("preset " + p.label + ": " + p.purpose));
    String word = images ? triggerWord.orElseGet(InitCommand::askTriggerWord).strip() : "";
    Proposal proposal = Proposal.of(basis, given, word, chosen);
    if (!proposal.lengths().isEmpty()) {
      head.add(proposal.lengths());
    }
    head.add(
        String.format(
            "%s; memory: %s, as planned", Counted.of(proposal.steps(), "step"), proposal.memory()));
    if (!noProbe) {
      System.out.println("Training ten steps to tell the time…");
      double seconds = proposal.secondsPerStep();
      head.add(
          String.format(
              "%.2f s a step here: about %s in all%s",
              seconds,
              time(seconds * proposal.steps()),
              images ? ", pictures in between apart" : ""));
    }
    head.add("all keys: docs/configuration.md");
    AtomicFiles.writeString(out, proposal.yaml(head));
    head.subList(0, head.size() - 1).forEach(System.out::println);
    System.out.printf("Written: %s. Next: lora-native train --config %s%n", out, ShellWord.of(out));
    return 0;
  }

  private static String askTriggerWord() {
    return Terminal.keyboard()
        .map(
            k ->
                k.readLine(
                    "A word for what is learnt, put before captions that lack it (Enter: none): "))
        .orElse("");
  }

  private static String time(double seconds) {
    return seconds < 90
        ? String.format("%.0f s", seconds)
        : seconds < 5400
            ? String.format("%.0f min", seconds / 60)
            : String.format("%.1f h", seconds / 3600);
  }

  private Path existing(String option, Optional<Path> given, String question) {
    Path path = given.orElseGet(() -> Path.of(ask(option, question)));
    if (!Files.exists(path)) {
      throw option.equals("--base")
          ? MissingBase.of(option, path, "a folder or a file")
          : new UserException(option + " " + path + " does not exist.");
    }
    return path;
  }

  private static String ask(String option, String question) {
    Console keyboard =
        Terminal.keyboard()
            .orElseThrow(
                () ->
                    new UserException(
                        option + " is missing: " + question.toLowerCase(Locale.ROOT) + "."));
    String answer = keyboard.readLine("%s: ", question);
    if (answer == null || answer.isBlank()) {
      throw new UserException(option + " is missing.");
    }
    return answer.strip();
  }

  /** Device, dtype and budget; returns whether it is a card with little memory. */
  private boolean machine(Map<String, Choice> given) {
    boolean little;
    boolean bf16;
    try (Device opened = Devices.open(device, 0)) {
      boolean card = !opened.name().equals("cpu");
      bf16 = card || CpuDevice.hasBf16();
      System.out.println(opened.description());
      little = card && opened.freeBytes() < PLENTY;
    }
    given.put("device", new Choice(device, ""));
    given.put("compute_dtype", new Choice(bf16 ? "bf16" : "f32", bf16 ? "half the memory" : ""));
    memory.ifPresent(m -> given.put("memory_budget", new Choice(m, "")));
    return little;
  }

  private List<Preset> named() {
    List<Preset> chosen = new ArrayList<>();
    for (String name : presets) {
      chosen.add(
          Arrays.stream(Preset.values())
              .filter(p -> p.label.equals(name.strip()))
              .findFirst()
              .orElseThrow(
                  () ->
                      new UserException(
                          "--preset "
                              + name
                              + " is not known; there are "
                              + String.join(
                                  ", ", Arrays.stream(Preset.values()).map(p -> p.label).toList())
                              + ".")));
    }
    return chosen;
  }
}
