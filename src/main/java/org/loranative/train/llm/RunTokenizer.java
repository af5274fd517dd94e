package org.loranative.train.llm;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.loranative.Spelling;
import org.loranative.UserException;
import org.loranative.config.ConfigReader;
import org.loranative.config.TrainConfig;
import org.loranative.model.llm.LlmBase;
import org.loranative.text.AdapterTemplate;
import org.loranative.text.ChatTemplate;
import org.loranative.text.NamedTemplates;
import org.loranative.text.Tokenizer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A base's tokenizer as a run uses it: with the chat template, the variables and the date of its
 * configuration.
 */
public final class RunTokenizer {
  private static final Logger log = LoggerFactory.getLogger(RunTokenizer.class);

  private RunTokenizer() {}

  /** The caller closes it. */
  public static Tokenizer open(TrainConfig config, LlmBase base) {
    Tokenizer tokenizer = base.tokenizer();
    boolean done = false;
    try {
      String chosen = config.chatTemplate();
      if (!chosen.isEmpty()) {
        boolean own = tokenizer.chatTemplate().isPresent();
        tokenizer.setChatTemplate("chat_template " + chosen, NamedTemplates.read(chosen));
        log.info(
            "chat template: {}{}",
            chosen,
            own ? ", instead of the one of " + config.baseModel() : "");
      }
      tellUnread(config.templateKwargs(), tokenizer);
      tokenizer.setTemplateVariables(config.templateKwargs());
      config.templateDateTime().ifPresent(tokenizer::setDate);
      done = true;
      return tokenizer;
    } finally {
      if (!done) {
        tokenizer.close();
      }
    }
  }

  /**
   * Takes what an adapter was trained with: the template beside it, variables (which that template
   * holds too) and date of the run that it lies in.
   */
  static void of(Path adapter, Tokenizer tokenizer) {
    AdapterTemplate.of(adapter).ifPresent(t -> t.give(tokenizer));
    Optional<TrainConfig> run = configOf(adapter);
    run.map(TrainConfig::templateKwargs).ifPresent(tokenizer::setTemplateVariables);
    run.flatMap(TrainConfig::templateDateTime).ifPresent(tokenizer::setDate);
  }

  /**
   * The settings of the run which an adapter comes from: they lie in a checkpoint, and beside the
   * finished adapter.
   */
  static Optional<TrainConfig> configOf(Path adapter) {
    Path folder = adapter.toAbsolutePath().normalize();
    return Stream.of(folder, folder.resolveSibling("."))
        .map(f -> f.resolve("config.yaml"))
        .filter(Files::isRegularFile)
        .findFirst()
        .flatMap(RunTokenizer::read);
  }

  private static Optional<TrainConfig> read(Path config) {
    try {
      return Optional.of(ConfigReader.read(Optional.of(config), List.of()));
    } catch (UserException e) {
      return Optional.empty(); // another tool's
    }
  }

  private static void tellUnread(Map<String, Object> variables, Tokenizer tokenizer) {
    Set<String> reads = tokenizer.chatTemplate().map(ChatTemplate::reads).orElse(Set.of());
    for (String name : variables.keySet()) {
      if (!reads.contains(name)) {
        log.warn(
            "template_kwargs: the chat template never reads {}, so it changes nothing.{}",
            name,
            Spelling.near(name, reads).map(n -> " Did you mean \"" + n + "\"?").orElse(""));
      }
    }
  }
}
