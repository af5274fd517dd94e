package org.loranative.device;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The limit that really holds, from files as kernels show them. */
class FreeMemoryTest {
  private static final long MIB = 1 << 20;

  @TempDir private Path folder;

  @BeforeEach
  void machine() throws IOException {
    write("proc/meminfo", "MemTotal: 16384000 kB\nMemFree: 100 kB\nMemAvailable:    8192000 kB\n");
    write("proc/self/status", "Name:\tjava\nVmSize:\t 2048000 kB\nVmData:\t  512000 kB\n");
    write(
        "proc/self/limits",
        "Limit                     Soft Limit           Hard Limit           Units\n"
            + "Max data size             unlimited            unlimited            bytes\n"
            + "Max address space         unlimited            unlimited            bytes\n");
    write("proc/self/cgroup", "0::/\n");
    Files.createDirectories(folder.resolve("cgroup"));
  }

  private void write(String file, String text) throws IOException {
    Path path = folder.resolve(file);
    Files.createDirectories(path.getParent());
    Files.writeString(path, text);
  }

  private FreeMemory free() {
    return FreeMemory.of(folder.resolve("proc"), folder.resolve("cgroup"));
  }

  @Test
  void withoutLimitsIsWhatTheMachineHas() {
    assertThat(free()).isEqualTo(new FreeMemory(8192000L * 1024, "the free memory", false));
  }

  /** The group itself sets none, the one above does; cached files do not count. */
  @Test
  void controlGroupsOfVersion2() throws IOException {
    write("proc/self/cgroup", "0::/user.slice/run.scope\n");
    write("cgroup/user.slice/run.scope/memory.max", "max\n");
    write("cgroup/user.slice/run.scope/memory.current", "" + 100 * MIB);
    write("cgroup/user.slice/memory.max", 1000 * MIB + "\n");
    write("cgroup/user.slice/memory.current", 400 * MIB + "\n");
    write(
        "cgroup/user.slice/memory.stat",
        "anon 5\ninactive_file " + 150 * MIB + "\nactive_file 7\n");
    assertThat(free().bytes()).isEqualTo(750 * MIB);
    assertThat(free().limit()).contains("control group");
    assertThat(free().strict()).isTrue();
  }

  /** A container sees the host's path, but only its own group, at the mount's root. */
  @Test
  void controlGroupsOfVersion1() throws IOException {
    write("proc/self/cgroup", "9:cpu,cpuacct:/docker/1f\n5:memory:/docker/1f\n1:name=systemd:/\n");
    write("cgroup/memory/memory.limit_in_bytes", 512 * MIB + "\n");
    write("cgroup/memory/memory.usage_in_bytes", 500 * MIB + "\n");
    write("cgroup/memory/memory.stat", "cache 9\ntotal_inactive_file " + 20 * MIB + "\n");
    assertThat(free().bytes()).isEqualTo(32 * MIB);
    write("cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
    assertThat(free().limit()).as("no limit is set").isEqualTo("the free memory");
  }

  @Test
  void resourceLimits() throws IOException {
    write(
        "proc/self/limits",
        "Max data size             unlimited            unlimited            bytes\n"
            + "Max address space         4194304000           unlimited            bytes\n");
    assertThat(free())
        .isEqualTo(new FreeMemory(4194304000L - 2048000L * 1024, "what ulimit -v leaves", false));
    write("proc/self/limits", "Max data size             300000000   unlimited   bytes\n");
    assertThat(free())
        .as("more is taken already")
        .isEqualTo(new FreeMemory(0, "what ulimit -d leaves", true));
  }
}
