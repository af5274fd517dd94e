package org.loranative.cli;

import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.loranative.UserException;
import org.loranative.label.Labeller;
import org.loranative.label.Labelling;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code lora-native label}. */
@Command(
    name = "label",
    description = "Write captions for a folder of images into its metadata.csv, by an ONNX model.",
    mixinStandardHelpOptions = true,
    footer = {
      "",
      "A tagger of WD14's kind:   label DIR --model model.onnx --tags selected_tags.csv",
      "A captioner of GIT's kind: label DIR --model model.onnx --tokenizer FOLDER",
      "ONNX Runtime is no part of lora-native: put " + Labelling.RUNTIME,
      "beside lora-native.jar as onnxruntime.jar. Images that have a caption keep it."
    })
final class LabelCommand implements Callable<Integer> {
  @Parameters(paramLabel = "DIR", description = "The folder of images.")
  private Path folder;

  @Option(names = "--model", required = true, description = "The ONNX file.")
  private Path model;

  @Option(names = "--tags", description = "A tagger's selected_tags.csv.")
  private Optional<Path> tags = Optional.empty();

  @Option(names = "--tokenizer", description = "A captioner's tokenizer: a folder.")
  private Optional<Path> tokenizer = Optional.empty();

  @Option(
      names = "--threshold",
      defaultValue = "0.35",
      description = "Probability from which a tag is taken. Default: ${DEFAULT-VALUE}.")
  private double threshold;

  @Option(
      names = "--character-threshold",
      defaultValue = "0.85",
      description =
          "Probability from which a character's name is taken. Default: ${DEFAULT-VALUE}.")
  private double characterThreshold;

  @Option(
      names = "--max-tokens",
      defaultValue = "40",
      description = "Most tokens of a caption that a captioner writes. Default: ${DEFAULT-VALUE}.")
  private int maxTokens;

  @Option(names = "--prefix", defaultValue = "", description = "Put before each new caption.")
  private String prefix;

  @Option(names = "--force", description = "Replace captions that are there.")
  private boolean force;

  @Override
  public Integer call() throws Exception {
    if (tags.isPresent() == tokenizer.isPresent()) {
      throw new UserException(
          "Name either --tags (a tagger's selected_tags.csv) or --tokenizer (a captioner's).");
    }
    try (Labeller labeller =
        tags.isPresent()
            ? Labelling.tagger(model, tags.get(), threshold, characterThreshold)
            : Labelling.captioner(model, tokenizer.get(), maxTokens)) {
      int made =
          Labelling.label(
              folder,
              labeller,
              prefix,
              force,
              (image, caption) -> System.out.println(image.getFileName() + ": " + caption));
      System.out.println(
          made == 0
              ? "Every image has a caption already; --force replaces them."
              : made + " captions written to " + folder.resolve("metadata.csv"));
    }
    return 0;
  }
}
