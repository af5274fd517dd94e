package org.loranative.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.loranative.UserException;

/** Files that change under their reader. */
class MappedFileTest {
  private static final int PAGES = 5;
  private static final int PAGE = 4096;

  @TempDir private Path folder;

  private Path file(String name) throws IOException {
    byte[] bytes = new byte[PAGES * PAGE];
    Arrays.fill(bytes, (byte) 7);
    return Files.write(folder.resolve(name), bytes);
  }

  private static byte[] read(Device device, MappedFile file) {
    try (HostBuffer host = new HostBuffer(PAGES * PAGE)) {
      device.upload(host.address(), file.address(0, PAGES * PAGE), PAGES * PAGE);
      byte[] bytes = new byte[PAGES * PAGE];
      host.view().get(bytes);
      return bytes;
    }
  }

  @Test
  void whatIsMissingIsSaid() throws IOException {
    Path path = file("base.safetensors");
    try (Device device = new CpuDevice(1);
        MappedFile other = new MappedFile(file("other.safetensors"));
        MappedFile mapped = new MappedFile(path)) {
      assertThat(read(device, mapped)).containsOnly(7);
      mapped.requireWhole();
      try (FileChannel channel = FileChannel.open(path, StandardOpenOption.WRITE)) {
        channel.truncate(2 * PAGE);
      }
      byte[] bytes = read(device, mapped);
      assertThat(Arrays.copyOf(bytes, 2 * PAGE)).containsOnly(7);
      assertThatThrownBy(mapped::requireWhole)
          .isInstanceOf(UserException.class)
          .hasMessageContaining("base.safetensors was cut off");
      assertThat(read(device, other)).containsOnly(7);
      other.requireWhole();
    }
  }
}
