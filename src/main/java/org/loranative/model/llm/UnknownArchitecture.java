package org.loranative.model.llm;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.loranative.UserException;
import org.loranative.io.Safetensors;
import org.loranative.io.TensorFile;
import org.loranative.model.Family;

/** What to say of a model of no known family: which family is nearest, and what differs. */
final class UnknownArchitecture {
  private static final Pattern IN_LAYER =
      Pattern.compile("(?:.*\\.)?(?:layers|h|blocks|blk)\\.\\d+\\.(.+)\\.weight");

  /** Differing modules that are named; of more their number is told. */
  private static final int NAMED = 6;

  private UnknownArchitecture() {}

  static UserException ofFolder(Path config, String architecture) {
    Path folder = config.toAbsolutePath().getParent();
    Set<String> modules = Set.of();
    if (Files.exists(folder.resolve("model.safetensors"))
        || Files.exists(folder.resolve("model.safetensors.index.json"))) {
      modules = modules(Safetensors.readFolder(folder, "model").tensors().keySet());
    }
    return of(config, architecture, modules, false);
  }

  static UserException ofGguf(Path path, String architecture, TensorFile file) {
    return of(path, architecture, modules(file.tensors().keySet()), true);
  }

  private static UserException of(
      Path where, String architecture, Set<String> modules, boolean gguf) {
    String text = where + ": the architecture " + architecture + " is not supported.";
    if (!modules.isEmpty()) {
      Family nearest = nearest(architecture, modules, gguf);
      Set<String> known = known(nearest, gguf);
      Set<String> more = without(modules, known);
      Set<String> missing = without(known, modules);
      text +=
          " The nearest known family is "
              + nearest.name()
              + (more.isEmpty() && missing.isEmpty()
                  ? ", whose layers have the same tensors; the models may still compute with them"
                      + " in another way."
                  : "; its layers"
                      + (more.isEmpty() ? "" : " also have " + list(more))
                      + (more.isEmpty() || missing.isEmpty() ? "" : " and")
                      + (missing.isEmpty() ? "" : " lack " + list(missing))
                      + ".");
    }
    String supported =
        gguf
            ? Family.all().stream()
                .flatMap(f -> f.ggufArchitectures().stream())
                .distinct()
                .collect(Collectors.joining(", "))
            : Family.supported();
    return new UserException(text + " Supported: " + supported + ".");
  }

  /** Fewest differing modules; of equals the one whose name begins most alike. */
  private static Family nearest(String architecture, Set<String> modules, boolean gguf) {
    Family nearest = Family.all().get(0);
    for (Family f : Family.all()) {
      int worse = distance(f, modules, gguf) - distance(nearest, modules, gguf);
      if (worse < 0 || worse == 0 && alike(f, architecture) > alike(nearest, architecture)) {
        nearest = f;
      }
    }
    return nearest;
  }

  private static int distance(Family f, Set<String> modules, boolean gguf) {
    Set<String> known = known(f, gguf);
    return without(modules, known).size() + without(known, modules).size();
  }

  private static int alike(Family f, String architecture) {
    return Stream.concat(f.architectures().stream(), f.ggufArchitectures().stream())
        .mapToInt(name -> beginning(name, architecture))
        .max()
        .orElse(0);
  }

  private static int beginning(String a, String b) {
    int n = 0;
    while (n < Math.min(a.length(), b.length()) && a.charAt(n) == b.charAt(n)) {
      n++;
    }
    return n;
  }

  private static Set<String> known(Family f, boolean gguf) {
    List<String> own = f.layerModules();
    return new TreeSet<>(
        gguf
            ? own.stream()
                .map(m -> f.ggufName("model.layers.0." + m + ".weight"))
                .map(m -> m.substring("blk.0.".length(), m.length() - ".weight".length()))
                .toList()
            : own);
  }

  /** What layers are made of; experts, which are numbered, count as one. */
  private static Set<String> modules(Collection<String> tensors) {
    Set<String> modules = new TreeSet<>();
    for (String tensor : tensors) {
      Matcher m = IN_LAYER.matcher(tensor);
      boolean tower = tensor.contains("vision") || tensor.contains("visual");
      if (m.matches() && !tower && !tensor.contains("audio")) {
        modules.add(m.group(1).replaceAll("\\.\\d+\\.", ".*."));
      }
    }
    return modules;
  }

  private static Set<String> without(Set<String> these, Set<String> those) {
    Set<String> left = new TreeSet<>(these);
    left.removeAll(those);
    return left;
  }

  private static String list(Set<String> modules) {
    String named = modules.stream().limit(NAMED).collect(Collectors.joining(", "));
    return modules.size() <= NAMED ? named : named + " and " + (modules.size() - NAMED) + " more";
  }
}
