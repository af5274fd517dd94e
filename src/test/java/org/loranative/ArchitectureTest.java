package org.loranative;

import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.lang.syntax.ArchRuleDefinition;
import com.tngtech.archunit.library.dependencies.SlicesRuleDefinition;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.loranative.graph.Autodiff;
import org.loranative.graph.ops.Add;

/** The rooms and doors of docs/design.md, section 2. */
class ArchitectureTest {
  private static final Map<String, Integer> RANKS =
      Map.ofEntries(
          Map.entry("cli", 7),
          Map.entry("serve", 6),
          Map.entry("train", 5),
          Map.entry("model", 3),
          Map.entry("board", 5),
          Map.entry("export", 4),
          Map.entry("diagnose", 2),
          Map.entry("label", 3),
          Map.entry("lora", 2),
          Map.entry("optim", 3),
          Map.entry("data", 2),
          Map.entry("diffusion", 2),
          Map.entry("graph", 1),
          Map.entry("text", 1),
          Map.entry("image", 1),
          Map.entry("track", 1),
          Map.entry("device", 0),
          Map.entry("io", 0),
          Map.entry("web", 0),
          Map.entry("random", 0),
          Map.entry("config", 0));

  private static final JavaClasses CLASSES =
      new ClassFileImporter()
          .withImportOption(new ImportOption.DoNotIncludeTests())
          .importPackages("org.loranative");

  private static String room(JavaClass c) {
    String[] parts = c.getPackageName().split("\\.");
    return parts.length < 3 ? "" : parts[2];
  }

  @Test
  void packagesImportOnlyFromLowerRanks() {
    List<String> wrong = new ArrayList<>();
    for (JavaClass from : CLASSES) {
      from.getDirectDependenciesFromSelf()
          .forEach(
              d -> {
                JavaClass to = d.getTargetClass();
                String a = room(from);
                String b = room(to);
                if (!to.getPackageName().startsWith("org.loranative")
                    || a.equals(b)
                    || b.isEmpty()) {
                  return;
                }
                boolean lower = !a.isEmpty() && RANKS.get(b) < RANKS.get(a);
                boolean configDoor =
                    !b.equals("config") || List.of("train", "cli", "board").contains(a);
                if (!lower || !configDoor) {
                  wrong.add(from.getName() + " -> " + to.getName());
                }
              });
    }
    assertThat(wrong).isEmpty();
  }

  @Test
  void roomsAreNotInCircles() {
    SlicesRuleDefinition.slices()
        .matching("org.loranative.(**)")
        .should()
        .beFreeOfCycles()
        .ignoreDependency(Autodiff.class, Add.class) // where gradients meet
        .check(CLASSES);
  }

  /**
   * Classes that may know one another: a thing and its kinds, or a value and what is done with it.
   */
  private static final List<Set<String>> ACQUAINTED =
      List.of(
          Set.of("device.Device", "device.Memory"),
          Set.of("graph.Op", "graph.Held", "graph.Grads"),
          Set.of("optim.Optimizer", "optim.Update"),
          Set.of("lora.PeftFormat", "lora.PeftFolder"),
          Set.of("board.runs.RunEntry", "board.runs.RunRow", "board.runs.RunState"),
          Set.of("model.llm.LlmBase", "model.llm.LlmGraph"),
          Set.of(
              "model.diffusion.DiffusionBase",
              "model.diffusion.DiffusionGraph",
              "model.diffusion.Painter"),
          Set.of("model.diffusion.t5.T5Place", "model.diffusion.t5.T5Reader"),
          Set.of("image.Picture", "image.ImageFile", "image.Orientation", "image.Resampling"),
          Set.of(
              "diffusion.FlowMatching",
              "diffusion.FlowNoise",
              "diffusion.FlowSampler",
              "diffusion.FlowSpacing"),
          Set.of(
              "diffusion.NoiseSchedule",
              "diffusion.ScheduleNoise",
              "diffusion.ScheduleSampler",
              "diffusion.SnrWeight"),
          Set.of("train.proposal.Basis", "train.proposal.ImageBasis", "train.proposal.TextBasis"),
          Set.of(
              "text.Tokenizers",
              "text.AddedTokens",
              "text.Tekken",
              "text.TokenizerModel",
              "text.GgufTokenizer",
              "text.GgufVocabulary"));

  /** Rooms of which the same holds as a whole: parts of adapters, Jinja's values, commands. */
  private static final Set<String> ACQUAINTED_ROOMS = Set.of("lora", "text.jinja", "cli");

  @Test
  void classesAreNotInCircles() {
    Map<String, Set<String>> uses = new TreeMap<>();
    for (JavaClass from : CLASSES) {
      from.getDirectDependenciesFromSelf().stream()
          .filter(d -> d.getTargetClass().getPackageName().startsWith("org.loranative"))
          .forEach(
              d ->
                  uses.computeIfAbsent(file(from), f -> new TreeSet<>())
                      .add(file(d.getTargetClass())));
    }
    uses.keySet().removeIf(f -> f.startsWith("track.proto."));
    Map<String, Set<String>> reached = new TreeMap<>();
    uses.keySet().forEach(f -> reached.put(f, reached(f, uses)));
    List<Set<String>> circles = new ArrayList<>();
    for (String f : uses.keySet()) {
      Set<String> circle = new TreeSet<>(reached.get(f));
      circle.removeIf(o -> !reached.getOrDefault(o, Set.of()).contains(f));
      boolean known =
          ACQUAINTED.stream().anyMatch(a -> a.containsAll(circle))
              || ACQUAINTED_ROOMS.stream()
                  .anyMatch(
                      r ->
                          circle.stream()
                              .allMatch(o -> o.matches(r.replace(".", "\\.") + "\\.\\w+")));
      if (circle.size() > 1 && !known && !circles.contains(circle)) {
        circles.add(circle);
      }
    }
    assertThat(circles).isEmpty();
  }

  private static Set<String> reached(String from, Map<String, Set<String>> uses) {
    Set<String> reached = new TreeSet<>();
    Deque<String> waiting = new ArrayDeque<>(List.of(from));
    while (!waiting.isEmpty()) {
      for (String to : uses.getOrDefault(waiting.pop(), Set.of())) {
        if (reached.add(to)) {
          waiting.push(to);
        }
      }
    }
    return reached;
  }

  /** The class whose file holds {@code c}, by its name within the project. */
  private static String file(JavaClass c) {
    return c.getName().replaceFirst("^\\[*L?org\\.loranative\\.", "").replaceFirst("[$;].*", "");
  }

  @Test
  void onlyDeviceKnowsJavaCpp() {
    ArchRuleDefinition.noClasses()
        .that()
        .resideOutsideOfPackage("org.loranative.device..")
        .should()
        .dependOnClassesThat()
        .resideInAPackage("org.bytedeco..")
        .check(CLASSES);
  }

  /**
   * What depends on where the program runs: letters in Turkey (the program sets its locale first of
   * all, but case is also mapped in tests and libraries), bytes in a system's own encoding.
   */
  @Test
  void nothingDependsOnTheMachinesLanguage() {
    ArchRuleDefinition.noClasses()
        .should()
        .callMethod(String.class, "toLowerCase")
        .orShould()
        .callMethod(String.class, "toUpperCase")
        .orShould()
        .callMethod(String.class, "getBytes")
        .orShould()
        .callConstructor(String.class, byte[].class)
        .orShould()
        .callConstructor(java.io.InputStreamReader.class, java.io.InputStream.class)
        .orShould()
        .callConstructor(java.io.FileReader.class, java.io.File.class)
        .orShould()
        .callConstructor(java.io.FileReader.class, String.class)
        .check(CLASSES);
    ArchRuleDefinition.noClasses()
        .that()
        .doNotHaveSimpleName("Terminal")
        .should()
        .callMethod(java.util.Locale.class, "setDefault", java.util.Locale.class)
        .check(CLASSES);
  }

  /**
   * A choice of the user is one class in its room, which others know by what it does. Listed are
   * the names that only these rooms may write, as identifiers or strings.
   */
  @Test
  void namesOfOptimizersStayInTheirRoom() throws IOException {
    Pattern name =
        Pattern.compile(
            "\\b(AdamW|Lion|ScheduleFree|Prodigy|Adafactor|Came)|\"(adamw|lion|schedule_free|prodigy|adafactor|came)"
                + "|ln_(adamw|lion|schedule_free|prodigy|adafactor|came)");
    List<String> rooms = List.of("optim/", "graph/ops/", "config/");
    Path root = Path.of("src/main/java/org/loranative");
    try (Stream<Path> files = Files.walk(root)) {
      for (Path f : files.filter(p -> p.toString().endsWith(".java")).toList()) {
        String file = root.relativize(f).toString();
        if (rooms.stream().noneMatch(file::startsWith)) {
          assertThat(name.matcher(Files.readString(f)).results().map(r -> r.group()).toList())
              .as(file)
              .isEmpty();
        }
      }
    }
  }

  /** Memory, checkpoints and files walk an adapter's parts; only its method knows them by name. */
  @Test
  void wordsOfDiffusionFamiliesStayInTheirRooms() throws IOException {
    Pattern word =
        Pattern.compile(
            "\\bUnet\\w*|[iI]s(Sdx|X)l\\b|\"[^\"\\n]*(unet|sdxl|text_encoder(?!_path))");
    // Settings' names and defaults, files of parts, other trainers' curves, the demo of one base.
    List<String> rooms =
        List.of(
            "model/diffusion/families/",
            "model/diffusion/parts/",
            "model/diffusion/dit/TransformerNames", // kohya calls every denoiser a UNet
            "config/",
            "diagnose/Meaning",
            "cli/DemoSdCommand");
    Path root = Path.of("src/main/java/org/loranative");
    try (Stream<Path> files = Files.walk(root)) {
      for (Path f : files.filter(p -> p.toString().endsWith(".java")).toList()) {
        String file = root.relativize(f).toString();
        if (rooms.stream().noneMatch(file::startsWith)) {
          assertThat(word.matcher(Files.readString(f)).results().map(r -> r.group()).toList())
              .as(file)
              .isEmpty();
        }
      }
    }
  }

  @Test
  void namesOfPartsStayInTheirMethod() throws IOException {
    Pattern part = Pattern.compile("\"[._]?lora[_.](A|B|down|up|mid)\\b");
    Path root = Path.of("src/main/java/org/loranative");
    try (Stream<Path> files = Files.walk(root)) {
      for (Path f : files.filter(p -> p.toString().endsWith(".java")).toList()) {
        if (!f.endsWith("lora/LowRankMethod.java")) {
          assertThat(part.matcher(Files.readString(f)).results().map(r -> r.group()).toList())
              .as(root.relativize(f).toString())
              .isEmpty();
        }
      }
    }
  }

  /**
   * The JDK's server takes its limits from the first that a process makes; tests that made their
   * own left the board without any.
   */
  @Test
  void everyServerHasTheLimitsOfTheLocalOne() throws IOException {
    Pattern made = Pattern.compile("HttpServer\\.create");
    for (String root : List.of("src/main/java", "src/test/java")) {
      try (Stream<Path> files = Files.walk(Path.of(root))) {
        for (Path f : files.filter(p -> p.toString().endsWith(".java")).toList()) {
          assertThat(made.matcher(Files.readString(f)).find())
              .as("%s makes a server", f)
              .isEqualTo(f.endsWith("web/LocalServer.java"));
        }
      }
    }
  }

  /** Another operating system is another file beside platform/posix.cpp. */
  @Test
  void onlyThePlatformRoomAsksTheOperatingSystem() throws IOException {
    Pattern systems =
        Pattern.compile(
            "#include <(unistd|dlfcn|errno|cerrno|fcntl|sched|signal|csignal|pthread|poll|link"
                + "|dirent|spawn|windows|(sys|linux|mach)/\\w+)[.>]");
    Path root = Path.of("src/main/native");
    try (Stream<Path> files = Files.walk(root)) {
      for (Path f : files.filter(p -> p.toString().matches(".*\\.(cpp|h)")).toList()) {
        if (!root.relativize(f).startsWith("platform")) {
          assertThat(systems.matcher(Files.readString(f)).results().map(r -> r.group()).toList())
              .as(f.toString())
              .isEmpty();
        }
      }
    }
    assertThat(systems.matcher(Files.readString(root.resolve("platform/posix.cpp"))).results())
        .hasSizeGreaterThan(5);
  }

  /**
   * Every op of the headers has a comment, an implementation on each device, a caller in Java and a
   * case.
   */
  @Test
  void everyOpOfTheHeaderIsWhole() throws IOException {
    String header = all(Path.of("src/main/native/ops"), ".h");
    String composed = all(Path.of("src/main/native/composed"), ".cpp");
    String cpu = composed + all(Path.of("src/main/native/cpu/ops"), ".cpp");
    String cuda = composed + all(Path.of("src/main/native/cuda/ops"), ".cpp");
    String java =
        all(Path.of("src/main/java/org/loranative/graph/ops"), ".java")
            + all(Path.of("src/main/java/org/loranative/model"), ".java");
    String tests = all(Path.of("src/test/java/org/loranative/graph/ops"), ".java");
    List<String> optimizers =
        Pattern.compile("new Case\\(\\s*\"(\\w+)\"")
            .matcher(all(Path.of("src/test/java/org/loranative/optim"), "GoldenTest.java"))
            .results()
            .map(r -> r.group(1).replaceFirst("_.*", ""))
            .toList();
    Matcher m = Pattern.compile("(?m)^int (ln_([a-z0-9_]+)_(?:fwd|bwd))\\(").matcher(header);
    TreeSet<String> ops = new TreeSet<>();
    while (m.find()) {
      String name = m.group(1);
      ops.add(name);
      String before = header.substring(0, m.start()).stripTrailing();
      String lastLine = before.substring(before.lastIndexOf('\n') + 1);
      assertThat(lastLine).as(name + " has a comment above it").startsWith("//");
      assertThat(cpu).as(name + " on the CPU").contains("int " + name + "(");
      assertThat(cuda).as(name + " on CUDA").contains("int " + name + "(");
      assertThat(java).as(name + " has a caller").contains("LoraOps." + name + "(");
      String record =
          Stream.of(
                  m.group(2)
                      .replace("concat", "split")
                      .replaceFirst("^(crop|pad)$", "window")
                      .replace("_weight", "")
                      .split("_"))
              .map(w -> w.substring(0, 1).toUpperCase() + w.substring(1))
              .reduce("", String::concat)
              .replace("Adamw", "AdamW");
      boolean tested =
          tests.contains(record + ".")
              || tests.contains(name + "(")
              || optimizers.stream().anyMatch(m.group(2)::startsWith);
      assertThat(tested).as(name + " (" + record + ") has a case").isTrue();
    }
    assertThat(ops).hasSizeGreaterThan(20);
  }

  private static String all(Path folder, String ending) throws IOException {
    try (Stream<Path> files = Files.walk(folder)) {
      StringBuilder text = new StringBuilder();
      for (Path f : files.filter(p -> p.toString().endsWith(ending)).sorted().toList()) {
        text.append(Files.readString(f));
      }
      return text.toString();
    }
  }
}
