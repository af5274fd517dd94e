package org.loranative.device;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/**
 * Host memory that this process can still take: the least of what the machine has, what its control
 * groups (of containers, batch systems, systemd; version 1 and 2) leave, and its resource limits.
 *
 * @param bytes that can be had without swapping
 * @param limit what sets it, for people
 * @param strict whether the kernel ends the process that takes more, so that all that Java's heap
 *     may have must find room in it
 */
record FreeMemory(long bytes, String limit, boolean strict) {
  private static final FreeMemory UNKNOWN =
      new FreeMemory(Long.MAX_VALUE / 2, "what the machine has", false);

  static FreeMemory now() {
    return of(Path.of("/proc"), Path.of("/sys/fs/cgroup"));
  }

  /**
   * @param proc where the kernel shows processes
   * @param cgroups where control groups are mounted
   */
  static FreeMemory of(Path proc, Path cgroups) {
    List<FreeMemory> all = new ArrayList<>();
    field(proc.resolve("meminfo"), "MemAvailable:")
        .ifPresent(kb -> all.add(new FreeMemory(kb * 1024, "the free memory", false)));
    resource(proc, "Max address space", "VmSize:", "ulimit -v", false).ifPresent(all::add);
    resource(proc, "Max data size", "VmData:", "ulimit -d", true).ifPresent(all::add);
    for (String line : lines(proc.resolve("self/cgroup"))) {
      String[] parts = line.split(":", 3);
      if (parts.length == 3 && parts[0].equals("0")) {
        group(cgroups, parts[2], "memory.max", "memory.current", "inactive_file", all);
      } else if (parts.length == 3 && List.of(parts[1].split(",")).contains("memory")) {
        group(
            cgroups.resolve("memory"),
            parts[2],
            "memory.limit_in_bytes",
            "memory.usage_in_bytes",
            "total_inactive_file",
            all);
      }
    }
    return all.stream().min(Comparator.comparingLong(FreeMemory::bytes)).orElse(UNKNOWN);
  }

  /**
   * The limits of a group and of all above it. In a container the path may be the host's, where
   * only the mount's root is to be seen.
   *
   * @param reclaimable counted as used although the kernel gives it back: cached files
   */
  private static void group(
      Path mount,
      String path,
      String limit,
      String usage,
      String reclaimable,
      List<FreeMemory> all) {
    Path folder = mount.resolve(path.replaceFirst("^/+", "")).normalize();
    while (folder.startsWith(mount)) {
      Optional<Long> most = number(folder.resolve(limit));
      Optional<Long> used = number(folder.resolve(usage));
      if (most.isPresent() && used.isPresent()) {
        long cached = field(folder.resolve("memory.stat"), reclaimable + " ").orElse(0L);
        long free = Math.max(0, most.get() - used.get() + cached);
        all.add(new FreeMemory(free, "what the control group's limit leaves", true));
      }
      folder = folder.getParent();
    }
  }

  /** Of address space Java has taken its whole heap from the beginning; of data not. */
  private static Optional<FreeMemory> resource(
      Path proc, String limit, String used, String name, boolean strict) {
    Optional<Long> most = field(proc.resolve("self/limits"), limit);
    Optional<Long> now = field(proc.resolve("self/status"), used).map(kb -> kb * 1024);
    return most.isPresent() && now.isPresent()
        ? Optional.of(
            new FreeMemory(Math.max(0, most.get() - now.get()), "what " + name + " leaves", strict))
        : Optional.empty();
  }

  /** The first number behind a name; none where it says "unlimited". */
  private static Optional<Long> field(Path file, String name) {
    return lines(file).stream()
        .filter(line -> line.startsWith(name))
        .findFirst()
        .flatMap(line -> parse(line.substring(name.length()).strip().split("\\s+")[0]));
  }

  /** A file's only number; none where it says "max". */
  private static Optional<Long> number(Path file) {
    return lines(file).stream().findFirst().flatMap(FreeMemory::parse);
  }

  private static Optional<Long> parse(String text) {
    try {
      return Optional.of(Long.parseLong(text.strip()));
    } catch (NumberFormatException e) {
      return Optional.empty();
    }
  }

  private static List<String> lines(Path file) {
    try {
      return Files.readAllLines(file);
    } catch (IOException e) {
      return List.of(); // this kernel has no such limit
    }
  }
}
