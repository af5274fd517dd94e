package org.loranative.config;

import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * A setting: everything that is known of one key of the YAML file.
 *
 * @param tasks for which it means something
 * @param sentence what it is
 * @param detail more of it, in Markdown; may be ""
 * @param example a value in YAML; "" takes the default
 */
public record Key(
    String name,
    Section section,
    Set<TaskType> tasks,
    KeyType type,
    Allowed allowed,
    Default defaults,
    Set<Mark> marks,
    String sentence,
    String detail,
    String example) {

  private static Key of(String name, KeyType type, Default by, Allowed allowed, String sentence) {
    return new Key(
        name,
        Section.DATA,
        Set.copyOf(EnumSet.allOf(TaskType.class)),
        type,
        allowed,
        by,
        Set.of(),
        sentence,
        "",
        "");
  }

  static Key text(String name, String by, String sentence) {
    return of(name, KeyType.TEXT, Default.of(by), Allowed.ANYTHING, sentence);
  }

  /** A file or folder; "" by default. */
  static Key path(String name, String sentence) {
    return of(name, KeyType.PATH, Default.of(""), Allowed.ANYTHING, sentence);
  }

  /** Files or folders, one or several; none by default. */
  static Key paths(String name, String sentence) {
    return of(name, KeyType.PATHS, Default.of(List.of()), Allowed.ANYTHING, sentence);
  }

  static Key choice(String name, List<String> words, String sentence) {
    return choice(name, words, words.get(0), sentence);
  }

  static Key choice(String name, List<String> words, String by, String sentence) {
    return of(name, KeyType.TEXT, Default.of(by), new Allowed.OneOf(words), sentence);
  }

  static Key whole(String name, int by, Allowed allowed, String sentence) {
    return of(name, KeyType.WHOLE, Default.of(by), allowed, sentence);
  }

  static Key large(String name, long by, String sentence) {
    return of(name, KeyType.LARGE, Default.of(by), Allowed.ANYTHING, sentence);
  }

  static Key number(String name, double by, Allowed allowed, String sentence) {
    return of(name, KeyType.NUMBER, Default.of(by), allowed, sentence);
  }

  static Key flag(String name, boolean by, String sentence) {
    return of(name, KeyType.FLAG, Default.of(by), Allowed.ANYTHING, sentence);
  }

  static Key list(String name, String sentence) {
    return of(name, KeyType.LIST, Default.of(List.of()), Allowed.ANYTHING, sentence);
  }

  static Key map(String name, String sentence) {
    return of(name, KeyType.MAP, Default.of(Map.of()), Allowed.ANYTHING, sentence);
  }

  static Key targets(String name, Default by, String sentence) {
    return of(name, KeyType.TARGETS, by, Allowed.ANYTHING, sentence);
  }

  Key in(Section s) {
    return new Key(name, s, tasks, type, allowed, defaults, marks, sentence, detail, example);
  }

  /** For one task only. */
  Key only(TaskType task) {
    return new Key(
        name, section, Set.of(task), type, allowed, defaults, marks, sentence, detail, example);
  }

  Key by(Default other) {
    return new Key(name, section, tasks, type, allowed, other, marks, sentence, detail, example);
  }

  /** Another default for images. */
  Key images(Object value) {
    return by(defaults.images(value));
  }

  /** A default that words explain better than its value. */
  Key shown(String words) {
    return by(defaults.shown(words));
  }

  Key form(Allowed.Form form) {
    return new Key(name, section, tasks, type, form, defaults, marks, sentence, detail, example);
  }

  Key mark(Mark mark) {
    return new Key(
        name, section, tasks, type, allowed, defaults, Set.of(mark), sentence, detail, example);
  }

  Key more(String text) {
    return new Key(name, section, tasks, type, allowed, defaults, marks, sentence, text, example);
  }

  Key such(String value) {
    return new Key(name, section, tasks, type, allowed, defaults, marks, sentence, detail, value);
  }

  public boolean isFor(TaskType task) {
    return tasks.contains(task);
  }

  public boolean has(Mark mark) {
    return marks.contains(mark);
  }

  /**
   * The default of a task.
   *
   * @param earlier the values of the keys before this one
   */
  public Object byDefault(TaskType task, Map<String, Object> earlier) {
    return defaults.by(task).of().apply(earlier);
  }

  /** The default of a task, for people; "" for none. */
  public String shownDefault(TaskType task) {
    return defaults.by(task).shown();
  }

  /** The sentence without marks of Markdown. */
  public String plainSentence() {
    return plain(sentence);
  }

  /** The detail without marks of Markdown. */
  public String plainDetail() {
    return plain(detail);
  }

  /** Without marks of Markdown. */
  public static String plain(String text) {
    return text.replace("`", "")
        .replaceAll("\\[([^]]*)]\\(#[^)]*\\)", "$1 (docs/configuration.md)")
        .replaceAll("\\[([^]]*)]\\((\\w+\\.md)[^)]*\\)", "$1 (docs/$2)");
  }

  /** The default where it is the same for each task, else each task's; "" for none. */
  public String shownDefaults() {
    List<TaskType> of = Arrays.stream(TaskType.values()).filter(this::isFor).toList();
    if (of.stream().map(this::shownDefault).distinct().count() == 1) {
      return shownDefault(of.get(0));
    }
    return of.stream()
        .map(t -> shownDefault(t) + " (" + t.label + ")")
        .collect(Collectors.joining(", "));
  }

  /** Type and values that make sense, for people. */
  public String values() {
    if (allowed instanceof Allowed.OneOf words) {
      return String.join(", ", words.words());
    }
    if (allowed instanceof Allowed.Between b) {
      return type.words + " " + b.span();
    }
    if (allowed instanceof Allowed.MinusOneOr other) {
      return "-1 or " + type.words + " " + other.range().span();
    }
    if (type == KeyType.PATH) {
      return "a path";
    }
    String expected = allowed.expected();
    return expected.isEmpty()
        ? type.words
        : allowed instanceof Allowed.Form ? expected : type.words + " " + expected;
  }

  /** A line of YAML that sets it. */
  public String exampleLine() {
    return name + ": " + (example.isEmpty() ? shownDefault(task()) : example);
  }

  private TaskType task() {
    return isFor(TaskType.LLM) ? TaskType.LLM : TaskType.SD;
  }
}
