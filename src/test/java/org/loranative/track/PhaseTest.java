package org.loranative.track;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.slf4j.LoggerFactory;

class PhaseTest {
  /** Who has been told how far it is hears of the end; short work is not told of at all. */
  @ParameterizedTest
  @CsvSource({"0,3 of 3 tensors loaded", "1000000000000,"})
  void endsWithAll(long interval, String last) {
    Logger logger = (Logger) LoggerFactory.getLogger(Phase.class);
    ListAppender<ILoggingEvent> lines = new ListAppender<>();
    lines.start();
    logger.addAppender(lines);
    try {
      Phase phase = new Phase("tensors loaded", 3, interval);
      for (int i = 0; i < 3; i++) {
        phase.next();
      }
      phase.end();
    } finally {
      logger.detachAppender(lines);
    }
    List<String> said = lines.list.stream().map(ILoggingEvent::getFormattedMessage).toList();
    if (last == null) {
      assertThat(said).isEmpty();
    } else {
      assertThat(said).hasSize(4).last().isEqualTo(last);
    }
  }
}
