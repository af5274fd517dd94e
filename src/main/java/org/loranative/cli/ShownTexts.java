package org.loranative.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.loranative.Counted;
import org.loranative.ShellWord;
import org.loranative.UserException;
import org.loranative.config.TrainConfig;
import org.loranative.data.llm.Example;
import org.loranative.io.AtomicFiles;
import org.loranative.model.llm.LlmBase;
import org.loranative.text.NewTokens;
import org.loranative.text.Tokenizer;
import org.loranative.train.llm.RunTokenizer;
import org.loranative.train.llm.ShownExample;
import org.loranative.train.llm.TextData;

/**
 * The texts of a configuration, with every token marked as trained or not.
 *
 * @param records how many of the training data to show
 * @param html the page to write, instead of printing
 */
record ShownTexts(TrainConfig config, int records, Optional<Path> html) {
  void show() throws IOException {
    html.ifPresent(ShownTexts::requireFree);
    LlmBase base =
        LlmBase.open(Path.of(config.baseModel())).adding(new NewTokens(config.addTokens()));
    base.trainedWhole().named(config.modulesToSave()); // refuses what the run would
    try (Tokenizer tokenizer = RunTokenizer.open(config, base)) {
      TextData data = TextData.of(config, tokenizer);
      List<ShownExample> first =
          data.training().stream().limit(records).map(e -> ShownExample.of(e, tokenizer)).toList();
      List<String> totals = new ArrayList<>();
      totals.add(total("training", data.training()));
      if (!data.held().isEmpty()) {
        totals.add(total("validation", data.held()));
      }
      if (html.isPresent()) {
        String title = "What is trained of " + config.dataPath();
        AtomicFiles.writeString(html.get(), MaskPage.of(title, totals, first));
        totals.forEach(System.out::println);
        System.out.printf(
            "Written: %s, the first %s%n",
            ShellWord.of(html.get()), Counted.of(first.size(), "example"));
        return;
      }
      boolean colours = Main.CONSOLE.hasColours();
      if (!first.isEmpty()) {
        System.out.println(MaskText.legend(colours));
      }
      first.forEach(e -> System.out.println(MaskText.of(e, colours)));
      totals.forEach(System.out::println);
    }
  }

  /** A page of another time may be written anew; nothing else is. */
  private static void requireFree(Path file) {
    Path folder = file.toAbsolutePath().getParent();
    if (folder == null || !Files.isDirectory(folder)) {
      throw new UserException("--html " + file + ": there is no folder " + folder + ".");
    }
    if (!Files.exists(file)) {
      return;
    }
    try {
      if (MaskPage.isOne(Files.readString(file))) {
        return;
      }
    } catch (IOException e) {
      // no text, so no page
    }
    throw new UserException(
        "--html " + file + " is there and no page of this command; name another file.");
  }

  private static String total(String what, List<Example> examples) {
    long tokens = examples.stream().mapToLong(Example::length).sum();
    long trained = examples.stream().mapToLong(Example::labelled).sum();
    return String.format(
        "%s: %s, %d tokens: %d trained (%.0f %%), %d only read",
        what,
        Counted.of(examples.size(), "example"),
        tokens,
        trained,
        100.0 * trained / Math.max(1, tokens),
        tokens - trained);
  }
}
