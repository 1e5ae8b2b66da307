/** Needs one module: what the library's API shows of Netty comes with it. */
module consumer {
    requires io.exactframe.netty;

    exports consumer;
}
