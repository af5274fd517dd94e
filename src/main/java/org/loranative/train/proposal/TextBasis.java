package org.loranative.train.proposal;

import java.nio.file.Path;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.loranative.config.Preset.Choice;
import org.loranative.config.Subject;
import org.loranative.data.Records;
import org.loranative.data.Source;
import org.loranative.data.llm.Example;
import org.loranative.data.llm.ExampleEncoder;
import org.loranative.data.llm.FormatException;
import org.loranative.data.llm.Formats;
import org.loranative.model.llm.LlmBase;
import org.loranative.text.NamedTemplates;
import org.loranative.text.Tokenizer;

/**
 * A language model and records.
 *
 * @param lengths tokens of each example that would be cut if it were longer than {@code
 *     max_length}; texts, which are split, are none
 * @param template named for conversations where the base has none
 */
record TextBasis(int count, List<Integer> lengths, Optional<String> template) implements Basis {
  /** Of the most models. */
  private static final String TEMPLATE = "chatml";

  private static final int FEW = 200;

  static TextBasis of(Path base, Path data) {
    Records records = Records.read(data);
    Set<Source> split = new HashSet<>();
    boolean talks = false;
    for (Records.Raw raw : records.records()) {
      try {
        Formats.Content content = Formats.parse(raw.fields(), "auto");
        talks |= content instanceof Formats.Conversation;
        if (content instanceof Formats.Text) {
          split.add(raw.source());
        }
      } catch (FormatException e) {
        split.add(raw.source()); // the encoder leaves it out
      }
    }
    if (split.size() == records.records().size()) {
      return new TextBasis(records.records().size(), List.of(), Optional.empty());
    }
    try (Tokenizer tokenizer = LlmBase.open(base).tokenizer()) {
      Optional<String> template = Optional.empty();
      if (talks && tokenizer.chatTemplate().isEmpty()) {
        template = Optional.of(TEMPLATE);
        tokenizer.setChatTemplate(TEMPLATE, NamedTemplates.read(TEMPLATE));
      }
      List<Integer> lengths =
          new ExampleEncoder(tokenizer, "auto", "auto", Lengths.MOST)
              .encode(records).examples().stream()
                  .filter(e -> !split.contains(e.source()))
                  .map(Example::length)
                  .toList();
      return new TextBasis(records.records().size(), lengths, template);
    }
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
  public Map<String, Choice> proposed() {
    Map<String, Choice> choices = new LinkedHashMap<>();
    template.ifPresent(
        t ->
            choices.put(
                "chat_template",
                new Choice(t, "the base has none, and the data are conversations")));
    if (!lengths.isEmpty()) {
      int chosen = Lengths.fitting(lengths);
      choices.put("max_length", new Choice(chosen, Lengths.lost(lengths, chosen)));
    }
    return choices;
  }

  @Override
  public String shrunk(String key, int value) {
    return "more does not fit"
        + (key.equals("max_length") && !lengths.isEmpty()
            ? "; " + Lengths.lost(lengths, value)
            : "");
  }

  @Override
  public List<String> prompts(String triggerWord) {
    return List.of();
  }
}
